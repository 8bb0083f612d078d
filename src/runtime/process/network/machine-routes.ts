import { readFileSync } from 'node:fs';
import { attempt } from '../../../base/attempt.ts';
import { type PodRange, routedRanges } from './pod-range.ts';

/** The destinations of this machine's routes; empty where the system does not show them. */
export function machineRoutes(): readonly PodRange[] {
	return routedRanges(attempt(() => readFileSync('/proc/net/route', 'latin1')) ?? '');
}
