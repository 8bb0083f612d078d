import { DEFAULT_GRACE_SECONDS } from '../../api/core/pod/defaults.ts';
import type { Container, Probe } from '../../api/core/pod/schema.ts';
import { approximate } from '../../base/json/json.ts';
import { type BackoffPolicy, backoffDelayMs } from '../../base/queue/backoff.ts';
import { type HoldBack, holdBack, placesIn } from './fields/field-rules.ts';
import { failedProbe, isContainerStarted } from './health.ts';
import type { ContainerStart, ContainerStop } from './plan.ts';
import { attemptsOf } from './restart/attempts.ts';
import { restartDelayMs, restartsAfter } from './restart/restart.ts';
import { type Attempt, isSidecar, lastStatusOf, type PodSnapshot, type StartBackoff } from './snapshot.ts';
import { type StopOrder, stopOf } from './stopping.ts';

/** The backoff after a failed image pull or container creation. */
export const START_BACKOFF: BackoffPolicy = { baseMs: 10_000, capMs: 300_000 };

/** When a failed start is retried, in ms since the epoch. */
export function nextRetryAt({ at, failures, retryAfterMs }: StartBackoff): number {
	return at + (retryAfterMs ?? backoffDelayMs(START_BACKOFF, failures));
}

/** Whether a regular container of the Pod has ever run: the Pod is initialized then, whatever its sidecars do. */
export function hasRunRegular(seen: PodSnapshot): boolean {
	return seen.pod.spec.containers.some(({ name }) =>
		attemptsOf(seen, name).some(({ state }) => state !== 'created'),
	);
}

/** What a Pod that continues starts and stops, and the times to wait for (upstream: `computePodActions`). */
export class Steps {
	readonly stops: ContainerStop[] = [];
	readonly waits: number[] = [];
	readonly #starts: ContainerStart[] = [];
	readonly #seen: PodSnapshot;
	/** The names of the containers whose resize requires a restart. */
	readonly #resizeRestarts: ReadonlySet<string>;
	/** The field path of each container, computed only if a container is started. */
	#paths: ReadonlyMap<Container, string> | undefined;

	constructor(seen: PodSnapshot, resizeRestarts: ReadonlySet<string>) {
		this.#seen = seen;
		this.#resizeRestarts = resizeRestarts;
	}

	/**
	 * The containers to start now. While a postStart hook runs, no other container is started: the kubelet waits for
	 * the hook, so that a container can rely on what the hooks of those before it have done.
	 */
	get starts(): readonly ContainerStart[] {
		const { attempts, postStarts } = this.#seen;
		const isHooking = ({ id, state }: Attempt): boolean =>
			state === 'running' && postStarts.get(id) === 'running';
		if (postStarts.size > 0 && [...attempts.values()].flat().some(isHooking)) return [];
		const first = this.#starts.findIndex(({ container }) => container.lifecycle?.postStart);
		return first < 0 ? this.#starts : this.#starts.slice(0, first + 1);
	}

	/** Starts each ephemeral container once, even if the Pod is not initialized yet. */
	runEphemeral(): void {
		for (const container of this.#seen.pod.spec.ephemeralContainers ?? []) {
			const attempts = attemptsOf(this.#seen, container.name);
			if (attempts.every(({ state }) => state === 'created')) this.#startNext(container, attempts);
		}
	}

	/** Starts the init containers in order, up to the first one that must finish or start before the next. */
	initialize(): 'in progress' | 'failed' | 'done' {
		const { initContainers = [] } = this.#seen.pod.spec;
		const lastRun = initContainers.findLastIndex(({ name }) => attemptsOf(this.#seen, name).length > 0);
		const isInitialized = hasRunRegular(this.#seen);
		for (const [index, container] of initContainers.entries()) {
			const isPassed = isInitialized || index < lastRun;
			const state = isSidecar(container)
				? this.#runSidecar(container)
				: isPassed
					? 'done'
					: this.#runInit(container);
			if (state === 'failed') return 'failed';
			if (state !== 'done' && !isPassed) return 'in progress';
		}
		return 'done';
	}

	/** Runs an init container to its end. */
	#runInit(container: Container): 'in progress' | 'failed' | 'done' {
		const attempts = attemptsOf(this.#seen, container.name);
		const last = attempts.at(-1);
		if (last?.state === 'exited') {
			if (last.exitCode === 0) return 'done';
			if (!restartsAfter(this.#seen, container, last)) return 'failed';
		}
		if (last?.state !== 'running') this.#startNext(container, attempts);
		return 'in progress';
	}

	/** Keeps a sidecar running; `done` once it has started. Its liveness is checked only then. */
	#runSidecar(container: Container): 'in progress' | 'done' {
		const attempts = attemptsOf(this.#seen, container.name);
		const last = attempts.at(-1);
		if (last?.state !== 'running') {
			this.#startNext(container, attempts);
			return 'in progress';
		}
		const started = isContainerStarted(this.#seen, container, last);
		this.#stopUnhealthy(container, last, 'Init container');
		return started ? 'done' : 'in progress';
	}

	/**
	 * Starts the regular containers and stops unhealthy ones; returns `done` if none of them is to run: the Pod ends
	 * then, even if an unhealthy one still runs.
	 */
	runContainers(): 'in progress' | 'done' {
		let result: 'in progress' | 'done' = 'done';
		for (const container of this.#seen.pod.spec.containers) {
			const attempts = attemptsOf(this.#seen, container.name);
			const last = attempts.at(-1);
			if (last?.state === 'running') {
				if (this.#stopUnhealthy(container, last, 'Container') !== 'for good') result = 'in progress';
				continue;
			}
			if (last?.state === 'exited' && !restartsAfter(this.#seen, container, last)) continue;
			result = 'in progress';
			this.#startNext(container, attempts);
		}
		return result;
	}

	/** Stops a container whose probe or postStart hook has failed; undefined if it is healthy. */
	#stopUnhealthy(
		container: Container,
		attempt: Attempt,
		title: 'Container' | 'Init container',
	): 'for good' | 'to restart' | undefined {
		const { spec } = this.#seen.pod;
		const podGrace = spec.terminationGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS;
		if (this.#seen.postStarts.get(attempt.id) === 'failed') {
			const because = 'its postStart hook has failed';
			this.#stop(container, {
				graceSeconds: approximate(podGrace),
				because,
				message: 'FailedPostStartHook',
			});
			return 'to restart';
		}
		const isInit = title === 'Init container';
		if (attempt.image !== undefined && attempt.image !== (container.image ?? '')) {
			const text = `${title} ${container.name} definition changed`;
			// Whatever the restart policy is: a client has set another image.
			return this.#stopToRestart(container, isInit ? text : `${text}, will be restarted`);
		}
		const failed = failedProbe(this.#seen, container, attempt);
		if (!failed) {
			if (!this.#resizeRestarts.has(container.name)) return undefined;
			return this.#stopToRestart(container, `Container ${container.name} resize requires restart`);
		}
		// The rules of the container are not asked: there is no exit code yet.
		const restarts = isInit || (container.restartPolicy ?? spec.restartPolicy) !== 'Never';
		const probe: Probe | undefined = failed === 'liveness' ? container.livenessProbe : container.startupProbe;
		const text = `${title} ${container.name} failed ${failed} probe`;
		this.#stop(container, {
			graceSeconds: approximate(probe?.terminationGracePeriodSeconds ?? podGrace),
			because: `its ${failed} probe has failed`,
			message: restarts && !isInit ? `${text}, will be restarted` : text,
			restarts,
		});
		return restarts ? 'to restart' : 'for good';
	}

	/** Stops a container that is restarted because its spec has changed, whatever its restart policy is. */
	#stopToRestart(container: Container, message: string): 'to restart' {
		this.#stop(container, {
			graceSeconds: approximate(this.#seen.pod.spec.terminationGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS),
			because: 'its spec has changed',
			message,
			restarts: true,
		});
		return 'to restart';
	}

	#stop(container: Container, order: StopOrder): void {
		const { stops, waits } = stopOf(this.#seen, container, order);
		this.stops.push(...stops);
		this.waits.push(...waits);
	}

	/** Starts the next attempt, or waits for the end of its backoff. */
	#startNext(container: Container, attempts: readonly Attempt[]): void {
		const { now, startBackoffs } = this.#seen;
		const last = attempts.at(-1);
		const failure = startBackoffs.get(container.name);
		const due = Math.max(
			last?.state === 'exited' ? last.finishedAt + restartDelayMs(attempts) : 0,
			failure ? nextRetryAt(failure) : 0,
		);
		if (due > now) {
			this.waits.push(due);
			return;
		}
		// After a restart of all containers the runtime has no attempts, so the number comes from the status.
		const first = lastStatusOf(this.#seen.pod, container.name)?.restartCount ?? 0;
		const attempt = last === undefined ? first : last.attempt + (last.state === 'exited' ? 1 : 0);
		const because = last?.state === 'exited' ? `it ended with ${last.exitCode}` : 'it has not run yet';
		this.#starts.push({ container, attempt, heldBack: this.#holdBack(container), because });
	}

	#holdBack(container: Container): HoldBack | undefined {
		const { pod, traits } = this.#seen;
		this.#paths ??= new Map(placesIn(pod).map((place) => [place.container, place.path]));
		return holdBack(pod, { container, path: this.#paths.get(container) ?? '' }, traits);
	}
}
