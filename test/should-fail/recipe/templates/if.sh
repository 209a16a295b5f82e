#!/bin/sh
if [ {{host.name}} = a ]; then
	echo
