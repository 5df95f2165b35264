"""Several work specs and the graph of their units, as one document: no I/O here.

parts         what a flow consists of: units, what they need
documents     a document -> a flow, or everything that is wrong with it
unit_maps     the part of it that holds units
order         which unit goes before which; cycles
plans         what loading a flow would change on a server
drawings      a flow as Mermaid, DOT, or plain values
"""
