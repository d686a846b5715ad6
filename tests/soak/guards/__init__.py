"""The program without each of its guards in turn: the checks of the guards must fail of every such copy."""
