"""`cn2 doctor`: what a bug report needs, also of a system that is half dead or down."""
