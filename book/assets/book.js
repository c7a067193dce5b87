// The widget manager looks for MathJax 2's queue; MathJax 3 has none.
window.MathJax = window.MathJax || {};
window.MathJax.Hub = window.MathJax.Hub || { Queue: function () {} };
