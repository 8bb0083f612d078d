/**
 * How containers are stopped: the preStop hook, the order among containers, the signal and the grace period (upstream:
 * `killContainer` in kuberuntime_container.go and kuberuntime_termination_order.go).
 *
 * 1. One grace period covers the hook, the wait for other containers, and the time after the signal.
 * 2. The hooks of all containers run at the same time. A sidecar gets its signal after the regular containers and the
 *    sidecars behind it have ended, or when its grace period is over.
 * 3. After the signal, a container has at least {@link MIN_GRACE_SECONDS}.
 */

import type { Container } from '../../api/core/pod/schema.ts';
import type { ContainerStop } from './plan.ts';
import { type Attempt, isSidecar, type PodSnapshot } from './snapshot.ts';

/** The kubelet's minimum of the time between the stop signal and SIGKILL. */
const MIN_GRACE_SECONDS = 2;

/** Stops, and the times at which their hooks or waits must end, in ms since the epoch. */
export interface Stops {
	readonly stops: readonly ContainerStop[];
	readonly waits: readonly number[];
}

/** Why and how a container is stopped. */
export interface StopOrder {
	/** The grace period from now on; that of a stop that has begun is never extended by it. */
	readonly graceSeconds: number;
	readonly because: string;
	/** The message of the Event. */
	readonly message: string;
	readonly restarts?: boolean;
	/** Whether containers that must end first still run. */
	readonly isBlocked?: boolean;
}

/** Stops all running containers of the Pod for good. One that was created but never started needs no stop. */
export function stopAll(seen: PodSnapshot, graceSeconds: number, because: string): Stops {
	const { containers, initContainers = [], ephemeralContainers = [] } = seen.pod.spec;
	const steps: Stops[] = [];
	const stop = (container: Container, isBlocked: boolean): void => {
		const message = `Stopping container ${container.name}`;
		steps.push(stopOf(seen, container, { graceSeconds, because, message, isBlocked }));
	};
	for (const container of containers) stop(container, false);
	for (const container of initContainers) if (!isSidecar(container)) stop(container, false);
	for (const container of ephemeralContainers) stop(container, false);
	let isBlocked = containers.some((container) => runningAttempt(seen, container));
	for (const sidecar of initContainers.filter(isSidecar).toReversed()) {
		stop(sidecar, isBlocked);
		isBlocked ||= runningAttempt(seen, sidecar) !== undefined;
	}
	return joined(steps);
}

/** The stops and waits of several containers. */
export function joined(steps: readonly Stops[]): Stops {
	return { stops: steps.flatMap(({ stops }) => stops), waits: steps.flatMap(({ waits }) => waits) };
}

/** The next step to stop the container; nothing if it does not run. */
export function stopOf(seen: PodSnapshot, container: Container, order: StopOrder): Stops {
	const attempt = runningAttempt(seen, container);
	if (!attempt) return { stops: [], waits: [] };
	const { graceSeconds, isBlocked = false, restarts = false, ...texts } = order;
	const begun = seen.stopping.get(attempt.id);
	// Whole seconds, as upstream: a hook of 100 ms costs nothing of the grace period.
	const elapsedSeconds = begun ? Math.floor((seen.now - begun.since) / 1000) : 0;
	const remaining = Math.max(
		0,
		begun ? Math.min(graceSeconds, begun.graceSeconds - elapsedSeconds) : graceSeconds,
	);
	const hasHook = container.lifecycle?.preStop !== undefined;
	const hookRuns = begun ? begun.preStop === 'running' : hasHook;
	const step =
		remaining <= 0 ? 'signal' : hookRuns ? (begun ? 'wait' : 'hook') : isBlocked ? 'wait' : 'signal';
	const stop: ContainerStop = {
		id: attempt.id,
		name: container.name,
		step,
		restarts,
		...texts,
		graceSeconds: step === 'signal' ? Math.max(remaining, MIN_GRACE_SECONDS) : remaining,
	};
	return { stops: [stop], waits: step === 'signal' ? [] : [seen.now + remaining * 1000] };
}

function runningAttempt(seen: PodSnapshot, { name }: Container): Attempt | undefined {
	const last = seen.attempts.get(name)?.at(-1);
	return last?.state === 'running' ? last : undefined;
}
