/// The middle one of a few measured values.
func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
