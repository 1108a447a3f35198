"""Plans: nodes, rewrite rules, the split into agent and broker parts, SQL."""
