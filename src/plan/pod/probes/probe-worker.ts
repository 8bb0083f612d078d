/**
 * What one probe of one container does: when it runs, and what its outcomes mean (upstream: `doProbe` in
 * prober/worker.go). Pure; node/probes runs the probes.
 *
 * 1. The result belongs to one attempt of the container. A new attempt starts with the first result of its kind.
 * 2. A result changes only after as many equal outcomes in a row as its threshold says.
 * 3. After a startup probe has a result, and after a liveness probe has failed, the probe is on hold until there is a
 *    new attempt: no command runs in a container that is being stopped.
 */

import { PROBE_DEFAULTS } from '../../../api/core/pod/defaults.ts';
import type { Container, Probe } from '../../../api/core/pod/schema.ts';
import type { Attempt, ProbeKind, ProbeResult } from '../snapshot.ts';

/** The state of one probe. */
export interface ProbeWorker {
	/** The attempt that it probes; empty if the container has not run yet. */
	readonly containerId: string;
	/** Undefined if the agent does not know the result yet: the container ran before the agent did. */
	readonly result: ProbeResult | undefined;
	/** The last outcome, and how often it has occurred in a row. */
	readonly last: ProbeOutcome | undefined;
	readonly run: number;
	readonly isOnHold: boolean;
}

/** The outcome of one run of a probe. */
export type ProbeOutcome = 'success' | 'failure';

/** A probe of a container that has not run yet. */
export const NEW_PROBE: ProbeWorker = {
	containerId: '',
	result: undefined,
	last: undefined,
	run: 0,
	isOnHold: false,
};

/** The result of a new attempt: not ready, alive, and not started yet. */
const FIRST_RESULT: Readonly<Record<ProbeKind, ProbeResult>> = {
	readiness: 'failure',
	liveness: 'success',
	startup: 'unknown',
};

/** The probe of this kind that the container has, if any. */
export function probeOf(container: Container, kind: ProbeKind): Probe | undefined {
	return container[`${kind}Probe`];
}

/** What the agent sees of the container when it looks at a probe. */
export interface ProbeView {
	readonly kind: ProbeKind;
	/** The newest attempt that has run. */
	readonly attempt: Attempt | undefined;
	/** Whether the attempt ran before the agent was started: its last reported status stands then. */
	readonly isOlderThanAgent: boolean;
	/** Whether the last status of the attempt reports it as started. */
	readonly wasStarted: boolean;
	/** Whether the Pod is being stopped for good. */
	readonly terminating: boolean;
}

/** The state after a look at the container. */
export function seenBy(worker: ProbeWorker, view: ProbeView): ProbeWorker {
	const { kind, attempt, isOlderThanAgent, wasStarted, terminating } = view;
	if (!attempt || attempt.state === 'created') return worker;
	let next = worker;
	if (attempt.id !== worker.containerId) {
		// The count of equal outcomes continues, as upstream.
		const kept = kind === 'startup' && wasStarted ? 'success' : undefined;
		const result = isOlderThanAgent ? kept : FIRST_RESULT[kind];
		next = { ...worker, containerId: attempt.id, result, isOnHold: false };
	}
	if (attempt.state === 'exited') return withResult(next, 'failure');
	// For a quiet end: a container that is being stopped is neither restarted nor reported as unhealthy.
	if (terminating && kind !== 'readiness') return { ...withResult(next, 'success'), isOnHold: true };
	return next;
}

/** Milliseconds until the probe may run for the first time in the attempt. */
export function initialDelayMs({ initialDelaySeconds = 0 }: Probe, startedAt: number, now: number): number {
	const delay = initialDelaySeconds * 1000;
	// The wall clock may have been set back since the start.
	return Math.min(Math.max(0, startedAt + delay - now), delay);
}

/**
 * Whether the probe runs at all now, apart from its delay and period: it is not on hold, and the container has
 * started, or is not known to have in the case of a startup probe.
 */
export function isWanted({ isOnHold }: ProbeWorker, kind: ProbeKind, started: boolean): boolean {
	return !isOnHold && (kind === 'startup') !== started;
}

/** The state after an outcome. */
export function counted(
	worker: ProbeWorker,
	kind: ProbeKind,
	{ probe, outcome }: { readonly probe: Probe; readonly outcome: ProbeOutcome },
): ProbeWorker {
	const run = worker.last === outcome ? worker.run + 1 : 1;
	const next = { ...worker, last: outcome, run };
	const field = outcome === 'failure' ? 'failureThreshold' : 'successThreshold';
	const threshold = probe[field] ?? PROBE_DEFAULTS[field];
	if (run < threshold) return next;
	const isLast = kind === 'startup' || (kind === 'liveness' && outcome === 'failure');
	return { ...withResult(next, outcome), ...(isLast && { isOnHold: true, run: 0 }) };
}

function withResult(worker: ProbeWorker, result: ProbeResult): ProbeWorker {
	return worker.result === result ? worker : { ...worker, result };
}
