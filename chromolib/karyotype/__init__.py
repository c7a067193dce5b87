"""From a metaphase to a karyotype: one chain of plain functions.

`fields` pictures on disk; `boxes` what a laboratory has drawn on them
`finding` the chromosomes of a field, each as a crop; which fields are the best
`naming` what each chromosome is, and which karyotype that makes
`picture` the karyogram; `cases` several metaphases of one case
`report` what a person reviews; `folder` all of it for many pictures
`correcting` what a person puts right, and how much that is
"""
