"""What docs/benchmarks/validity/conformal.md says around the numbers of `conformal.py`."""

PAGE = """# Conformal p-values keep their promise

Made by `benchmarks/validity/conformal.py`. A p-value is right if it is at most α for a share α of
pictures that were not used; with n ranking non-members that share is ⌊α (n + 1)⌋ / (n + 1), which
is called stated here. Brackets are 95 % intervals of the measured share (Clopper-Pearson).

## Simulated scores

{fresh:,} fresh non-members in each row, each with a calibration of its own ({fitted:,} where a
combination of four dependent attacks is fitted each time, to 50 members and 50 non-members that do
not rank). Ties count against membership, so that discretised scores give fewer false alarms than
stated.

| scores | n | realised FPR at 1 % | realised FPR at 5 % |
|---|---|---|---|
{simulated}
{combination}

## The embedded targets

All non-members, of both parts, are dealt {divisions} times, a third of the groups to calibration;
no deal cuts a group, as no split of the data does. Each time variants are chosen and the
combination is fitted anew. ± is 1.96 standard errors of the mean over divisions. A single
division, which is what a user has, strays as far as in the last numbers (95 % of divisions). The
last column is the share of ranking members that the rule finds at p ≤ 0.01.

| target | n (median) | fresh non-members | realised FPR at 1 % | at 5 % | members found at 1 % |
|---|---|---|---|---|---|
{real}

On `clipart-tune`, which `clipart-overfit` is calibrated by, non-members are not independent: one
group has 36 of the 150 calibration non-members, and scores lower than others do. So the rate of
single pictures lies a little above what is stated there. (While groups were kept whole between the
fitting and the ranking part, it was 5.43 % ± 0.12 against 4.82 % stated: large groups did not fit
into the share and crowded the ranking part.)

Sets of 20 fresh non-members, one from each division, by the permutation test. Controls are ranking
non-members, **one of each group**, as `miagym check` has it; with all of them, the groups decide:

| target | sets | false alarms at 1 % | at 5 % | all controls: at 1 % | at 5 % |
|---|---|---|---|---|---|
{sets}

Where suspects themselves come in series, they are not independent either, and the test has no way
to know.

## The guard

Drawings of the test part, members and non-members, that the guard refuses (p < 0.01):

| data | drawings | refused |
|---|---|---|
{guard}

## Time

From a picture's bytes to its verdict with a warm checker, median of ten: {seconds}.
"""
