import { hasEnded } from '../../../src/api/core/pod/phase.ts';
import type { Container, Pod } from '../../../src/api/core/pod/schema.ts';
import { timeOf } from '../../../src/api/meta/time.ts';
import { approximate } from '../../../src/base/json/json.ts';
import type { ContainerEvent, Runtime, RuntimeContainer } from '../../../src/runtime/contract.ts';
import type { Violations } from './violations.ts';

/** The exit code of a container that was ended by SIGTERM. */
const BY_SIGTERM = 143;

/** What a {@link PodOracle} needs. */
export interface PodOracleOptions {
	readonly violations: Violations;
	/** The Pod with this UID, if it exists. */
	pod(uid: string): Pod | undefined;
}

/** Judges all Pods and what the runtimes do for them (invariants 6 and 8 of violations.ts). */
export class PodOracle {
	readonly #options: PodOracleOptions;
	/** How often each container was started, by the UID of the Pod and its name. */
	readonly #starts = new Map<string, number>();
	/** The containers that run now, by the UID of the Pod. */
	readonly #running = new Map<string, Map<string, RuntimeContainer>>();
	/** The node of each Pod that was ever bound, deleted Pods included. */
	readonly #boundTo = new Map<string, string>();

	constructor(options: PodOracleOptions) {
		this.#options = options;
	}

	/** Subscribes to the runtime of a node; returns a function that unsubscribes. */
	follow(nodeName: string, runtime: Runtime): () => void {
		return runtime.subscribe((event) => this.#observe(nodeName, event));
	}

	/**
	 * The machine is lost, with all containers and their state. Its containers no longer count as started: a new
	 * machine of the same name cannot know of them.
	 */
	lose(nodeName: string): void {
		const wasOnNode = (podUid: string): boolean => this.#boundTo.get(podUid) === nodeName;
		for (const uid of [...this.#running.keys()]) if (wasOnNode(uid)) this.#running.delete(uid);
		for (const key of [...this.#starts.keys()])
			if (wasOnNode(key.split('/')[0] ?? '')) this.#starts.delete(key);
	}

	/** A Pod has been updated. */
	podChanged(pod: Pod, old: Pod | undefined): void {
		const { name, uid = '' } = pod.metadata;
		const { nodeName } = pod.spec;
		if (nodeName) this.#boundTo.set(uid, nodeName);
		if (!old) return;
		this.#check(!old.spec.nodeName || nodeName === old.spec.nodeName, 8, `Pod ${name} moves to another node`);
		const samePhase = !hasEnded(old) || pod.status.phase === old.status.phase;
		this.#check(samePhase, 8, `Pod ${name} goes from ${old.status.phase} to ${pod.status.phase}`);
		for (const { name: container, restartCount } of pod.status.containerStatuses ?? []) {
			const before = old.status.containerStatuses?.find((each) => each.name === container)?.restartCount ?? 0;
			this.#check(restartCount >= before, 8, `container ${container} of Pod ${name} forgets restarts`);
		}
	}

	/** The UIDs of the Pods with at least one running container. */
	runningUids(): readonly string[] {
		return [...this.#running.keys()];
	}

	#observe(nodeName: string, { status }: ContainerEvent): void {
		const { podUid, id, name } = status;
		const running = this.#running.get(podUid) ?? new Map<string, RuntimeContainer>();
		if (status.state === 'running') {
			const isAlone = ![...running.values()].some((other) => other.name === name && other.id !== id);
			this.#check(isAlone, 6, `two attempts of ${name} of Pod ${podUid} run at once`);
			running.set(id, status);
			this.#running.set(podUid, running);
			this.#started(nodeName, podUid, name);
			const sandboxes = new Set(Array.from(running.values(), ({ sandboxId }) => sandboxId));
			this.#check(sandboxes.size === 1, 6, `Pod ${podUid} runs in ${[...sandboxes].join(' and ')}`);
		} else if (status.state === 'exited' && running.delete(id)) {
			this.#sidecarEnded(status, [...running.values()]);
			if (running.size === 0) this.#running.delete(podUid);
		}
	}

	/**
	 * A sidecar that ends by its stop signal does so after the containers, unless the grace period is over. A failing
	 * probe or postStart hook starts that period at any time, so Pods with any of them are not judged.
	 */
	#sidecarEnded(status: RuntimeContainer, others: readonly RuntimeContainer[]): void {
		const pod = this.#options.pod(status.podUid);
		if (!pod || hasEnded(pod) || status.state !== 'exited' || status.exitCode !== BY_SIGTERM) return;
		const { initContainers = [], containers } = pod.spec;
		if (!initContainers.some(({ name }) => name === status.name)) return;
		if ([...initContainers, ...containers].some(canBeStopped)) return;
		const first = others.find((other) => containers.some(({ name }) => name === other.name));
		const due = Math.min(
			timeOf(pod.metadata.deletionTimestamp) ?? Number.POSITIVE_INFINITY,
			deadlineEndOf(pod),
		);
		const text = `sidecar ${status.name} of Pod ${pod.metadata.name} ends before ${first?.name}`;
		this.#check(!first || status.finishedAt >= due, 6, text);
	}

	#started(nodeName: string, podUid: string, container: string): void {
		const pod = this.#options.pod(podUid);
		const bound = this.#boundTo.get(podUid);
		this.#check(bound === nodeName, 6, `a Pod of ${bound} runs on ${nodeName}`);
		const key = `${podUid}/${container}`;
		const starts = (this.#starts.get(key) ?? 0) + 1;
		this.#starts.set(key, starts);
		if (!pod) return;
		if (pod.spec.restartPolicy !== 'Never' || !pod.spec.containers.some(({ name }) => name === container))
			return;
		const reported = pod.status.containerStatuses?.find(({ name }) => name === container)?.state;
		const text = `${container} of Pod ${pod.metadata.name} is started`;
		this.#check(starts === 1, 6, `${text} ${starts} times`);
		this.#check(
			!reported?.running && !reported?.terminated,
			6,
			() => `${text}, and its state was ${JSON.stringify(reported)}`,
		);
	}

	#check(holds: boolean, invariant: 6 | 8, text: string | (() => string)): void {
		this.#options.violations.check(holds, invariant, text);
	}
}

/** Whether the node agent may stop the container while its Pod continues. */
function canBeStopped({ livenessProbe, startupProbe, lifecycle }: Container): boolean {
	return livenessProbe !== undefined || startupProbe !== undefined || lifecycle?.postStart !== undefined;
}

/** When the grace period of a Pod that reaches its deadline is over, in ms since the epoch; Infinity without a deadline. */
function deadlineEndOf({ spec, status }: Pod): number {
	const startedMs = timeOf(status.startTime);
	if (startedMs === undefined || spec.activeDeadlineSeconds === undefined) return Number.POSITIVE_INFINITY;
	const seconds =
		approximate(spec.activeDeadlineSeconds) + approximate(spec.terminationGracePeriodSeconds ?? 30);
	return startedMs + seconds * 1000;
}
