"""For tests of Sylph and of scripts: datasets in memory, Hypothesis strategies for rows and plans."""
