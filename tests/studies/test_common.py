from chromolib import records
from chromolib.studies import common
from chromolib.studies.chromonet import questions


def estimate(quantity, low, high, *, model="ChromoNet", extra="labels=true", **words):
    plain = {"study": "chromonet", "quantity": quantity, "n": 90, "groups": 9}
    plain |= {"value": (low + high) / 2, "low": low, "high": high}
    plain |= {"source": "pki3 (real, edited)", "protocol": "clean", "model": model}
    plain |= {
        "profile": "full",
        "conditions": records.read_conditions(f"unit=chromosome;{extra}"),
        "seed": 0,
    }
    return records.Estimate(**plain | words)


def answers(estimates):
    return common.answers(estimates, questions.QUESTIONS, model="ChromoNet")


def answered(*estimates):
    found = answers(estimates)
    return dict(zip(found["question"], found["answer"], strict=True))


def test_the_interval_alone_says_yes():
    name, asked = "balanced accuracy", "Is it better than chance?"
    assert answered(estimate(name, 0.51, 0.6)) == {asked: "yes"}
    assert answered(estimate(name, 0.49, 0.6)) == {asked: "not shown"}
    assert answered(estimate(name, 0.4, 0.49)) == {asked: "no"}


def test_random_labels_are_at_chance_or_not():
    def of(low, high):
        found = estimate("balanced accuracy", low, high, extra="labels=random")
        return answered(found)["Do random labels score chance?"]

    assert (of(0.45, 0.55), of(0.52, 0.6), of(0.3, 0.4)) == ("yes", "no", "no")


def test_one_model_as_good_is_enough_for_a_no_to_better_than_all():
    name = "difference in accuracy"
    leads = [
        estimate(name, 0.1, 0.2, model="ChromoNet - majority"),
        estimate(name, -0.1, 0.2, model="ChromoNet - k-NN"),
        estimate(name, -0.3, -0.1, model="ChromoNet - SVM"),
    ]
    found = answers(leads)
    assert found["answer"].tolist() == ["no"]
    assert found["measured"].item() == f"SVM {leads[2]}, the strongest of 3 rivals"
    assert answered(*leads[:2]) == {"Is it better than every other model?": "not shown"}
    assert answered(leads[0]) == {"Is it better than every other model?": "yes"}


def test_both_rivals_of_a_map_are_to_be_beaten():
    area, centre = (
        f"difference from pointing {rival}"
        for rival in ("by area share", "at the centre")
    )
    words = {"extra": "labels=true;map=Grad-CAM"}
    asked = "Does Grad-CAM point?"
    ahead = [estimate(area, 0.1, 0.2, **words), estimate(centre, 0.05, 0.2, **words)]
    behind = [ahead[0], estimate(centre, -0.2, -0.1, **words)]
    assert answered(*ahead) == {asked: "yes"}
    assert answered(*behind) == {asked: "no"}
    told = answers(behind)["measured"].item()
    assert told.startswith(
        f"pointing at the centre {behind[1]}, the strongest of 2 rivals"
    )


def test_what_is_kept_of_all_seeds_counts_before_one_of_them():
    name, asked = "balanced accuracy", "Is it better than chance?"
    kept = estimate(name, 0.51, 0.6, extra="labels=true;seeds=0 1")
    assert answered(kept, estimate(name, 0.4, 0.49)) == {asked: "yes"}


def test_other_conditions_answer_nothing_and_a_small_run_says_so():
    kept = estimate("balanced accuracy", 0.6, 0.7, extra="labels=true;seeds=0 1")
    other = estimate("balanced accuracy", 0.6, 0.7, extra="labels=true;tested=x")
    small = estimate("balanced accuracy", 0.4, 0.6, profile="quick")
    found = answers([small, other, kept])
    assert found["images"].tolist() == [
        "pki3 (real, edited)",
        "pki3 (real, edited), quick",
    ]
    assert found["answer"].tolist() == ["yes", "not shown"]
    assert answers([]).empty


def test_another_model_or_question_has_answers_of_its_own():
    rival = estimate("accuracy", 0.6, 0.7, model="SVM", extra="labels=true")
    asked = ("Is it better?", "accuracy", "clean", {"labels": "true"}, "above")
    assert common.answers([rival], [asked], model="ChromoNet").empty
    table = common.answers([rival], [asked], model="SVM")
    assert table[["unit", "question", "answer"]].to_numpy().tolist() == [
        ["chromosome", "Is it better?", "yes"]
    ]
