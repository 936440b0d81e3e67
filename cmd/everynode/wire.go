package main

import "github.com/everynode/everynode/internal/lab"

// wire gives the lab the parts that it runs but does not know.
func wire(o *lab.Options) {
	o.Controller = o.Controller && o.RunController != nil
}
