/// The median of `values`, at least one; for an even number of them, the upper of the two in the middle.
func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
