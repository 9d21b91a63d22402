"""What training with noise costs in privacy.

    rdp         Rényi differential privacy of the sampled Gaussian mechanism, in closed form
    prv         the same mechanism by numerical composition of privacy loss random variables: tighter
    accountant  phases of training in, epsilon out; and the noise that a given epsilon needs

Pure: numbers in, numbers out.
"""
