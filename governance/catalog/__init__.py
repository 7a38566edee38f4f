"""What is promised, as somebody who looks for it finds it: listed, searched, drawn, explained and taken along."""
