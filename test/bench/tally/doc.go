// Package tally is the arithmetic of the benchmark: samples become minima, medians, ratios, tables and JSON.
//
// Comes in: samples, one for each size, contender, round and phase. Goes out: text. Never: measures, or hides a sample
// that failed.
package tally
