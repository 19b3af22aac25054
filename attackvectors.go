package wallarm

// AttackVectorsService reads attack vectors through the Attacks API, which groups freely.
type AttackVectorsService service
