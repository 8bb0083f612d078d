import type { RuntimeTraits } from '../../../api/contract/runtime-traits.ts';
import type {
	Container,
	ContainerStatus,
	Pod,
	PodSpec,
	PodStatus,
	ResourceRequirements,
} from '../../../api/core/pod/schema.ts';
import { findCondition } from '../../../api/meta/conditions.ts';
import { formatTime } from '../../../api/meta/time.ts';
import { semanticEqual } from '../../../api/schema/equality.ts';
import type { ContainerStop, PodPlan } from '../plan.ts';
import { planPod } from '../plan-pod.ts';
import {
	type Attempt,
	containerNamed,
	type NodeRoom,
	type PodEviction,
	type PodSnapshot,
	type ProbeResults,
	type ResizeState,
	type StartBackoff,
	type StopState,
	statusesIn,
	WHOLE_POD,
} from '../snapshot.ts';

/** A container of a test's Pod: its name, and the fields that differ from the defaults. */
export type TestContainer = {
	readonly name: string;
	readonly restartPolicy?: string;
	readonly restartPolicyRules?: Container['restartPolicyRules'];
} & Partial<Container>;

/** The time at the start of a test. */
export const START = Date.UTC(2026, 0, 31, 8);

/**
 * A simulated node: it applies plans, and the test decides how containers end. Written statuses become the
 * Pod's, as with an API server.
 */
export class PodWorld {
	now = START;
	pod: Pod;
	hasSandbox = false;
	traits: RuntimeTraits = {
		honours: 'everything',
		user: { uid: 0, gid: 0, groups: [] },
		os: 'linux',
		runsHostPrograms: false,
		canExec: true,
		canResize: true,
	};
	readonly attempts = new Map<string, Attempt[]>();
	readonly startBackoffs = new Map<string, StartBackoff>();
	readonly probes = new Map<string, ProbeResults>();
	readonly postStarts = new Map<string, 'running' | 'failed'>();
	readonly stopping = new Map<string, StopState>();
	readonly resizes = new Map<string, ResizeState>();
	room: NodeRoom | undefined;
	eviction: PodEviction | undefined;
	/** Why the runtime cannot resize; undefined if it can. */
	resizeError: string | undefined;
	/** The started attempts, as `container#attempt`. */
	readonly started: string[] = [];
	/** The ids of the removed attempts. */
	readonly removed: string[] = [];
	/** The statuses that had to be written before a step. */
	readonly writtenFirst: PodStatus[] = [];
	/** The names of the containers that were sent the stop signal. */
	readonly stopped: string[] = [];
	/** The messages of the `Killing` events. */
	readonly killed: string[] = [];
	/** The names of the containers whose preStop hook was started. */
	readonly hooked: string[] = [];
	/** The Events of all plans, as `reason: message`. */
	readonly events: string[] = [];

	constructor(
		spec: {
			containers: readonly TestContainer[];
			initContainers?: readonly TestContainer[];
		} & Partial<PodSpec>,
	) {
		const status: PodStatus = { phase: 'Pending' };
		const metadata = { name: 'p', namespace: 'ns', uid: 'u', generation: 1 };
		const full = {
			restartPolicy: 'Always',
			terminationGracePeriodSeconds: 30,
			...spec,
		} as unknown as PodSpec;
		this.pod = { apiVersion: 'v1', kind: 'Pod', metadata, spec: full, status };
	}

	snapshot(): PodSnapshot {
		const { pod, now, attempts, startBackoffs, traits } = this;
		const sandbox = this.hasSandbox ? { ip: '127.0.0.1' } : undefined;
		const { probes, postStarts, stopping } = this;
		const known = {
			attempts,
			startBackoffs,
			probes,
			postStarts,
			stopping,
			resizes: this.resizes,
			room: this.room,
			eviction: this.eviction,
		};
		return { pod, now, runtime: 'fake', traits, hostIP: '127.0.0.1', sandbox, ...known };
	}

	/** Applies plans until no step is left now; returns the last plan, whose status is written. */
	settle(): PodPlan {
		for (;;) {
			const plan = planPod(this.snapshot());
			if (plan.statusFirst && !semanticEqual(plan.status, this.pod.status)) {
				this.pod = { ...this.pod, status: plan.status };
				this.writtenFirst.push(plan.status);
				this.#record(plan);
				continue;
			}
			this.#record(plan);
			if (plan.sandbox) {
				this.hasSandbox = true;
				this.startBackoffs.delete(WHOLE_POD);
			}
			if (plan.mountFailure) this.#hinder(WHOLE_POD, 'FailedMount', plan.mountFailure.message);
			for (const stop of plan.stops) this.#stop(stop);
			for (const { id, name } of plan.removals) this.remove(name, id);
			for (const { container, attempt, heldBack } of plan.starts) {
				if (!heldBack) this.#start(container.name, attempt);
				else this.#hinder(container.name, 'CreateContainerConfigError', heldBack.message);
			}
			for (const { id, resources } of plan.resizes) this.#resize(id, resources);
			if (plan.resizes.length > 0) continue;
			if (plan.sandbox || plan.mountFailure || plan.starts.length + plan.removals.length > 0) continue;
			this.pod = { ...this.pod, status: plan.status };
			return plan;
		}
	}

	#stop({ id, name, step, graceSeconds, restarts, message }: ContainerStop): void {
		if (!this.stopping.has(id)) {
			const preStop = step === 'hook' ? 'running' : 'none';
			this.stopping.set(id, { since: this.now, graceSeconds, preStop, restarts });
			this.killed.push(message);
		}
		if (step === 'hook') this.hooked.push(name);
		if (step === 'signal') this.stopped.push(name);
	}

	#resize(id: string, resources: ResourceRequirements): void {
		const failure = { error: this.resizeError ?? '', failedAt: this.now };
		this.resizes.set(id, this.resizeError === undefined ? { resources } : failure);
	}

	/** Ends the preStop hook of the container. */
	endPreStop(name: string): void {
		const id = this.idOf(name);
		const state = this.stopping.get(id);
		if (state) this.stopping.set(id, { ...state, preStop: 'done' });
	}

	/** Sets results of the container's probes, as the agent does for its newest attempt. */
	probe(name: string, results: ProbeResults): void {
		const id = this.idOf(name);
		this.probes.set(id, { ...this.probes.get(id), ...results });
	}

	/** The id of the container's newest attempt. */
	idOf(name: string): string {
		return this.attempts.get(name)?.at(-1)?.id ?? '';
	}

	/** The status of the container, as the Pod has it. */
	status(name: string): ContainerStatus | undefined {
		return statusesIn(this.pod.status).find((each) => each.name === name);
	}

	#record({ sandbox, mountFailure, statusEvents }: PodPlan): void {
		const events = [...(sandbox?.events ?? []), ...(mountFailure?.events ?? []), ...statusEvents];
		this.events.push(...events.map(({ reason, message }) => `${reason}: ${message}`));
	}

	#hinder(name: string, reason: string, message: string): void {
		const failures = (this.startBackoffs.get(name)?.failures ?? 0) + 1;
		this.startBackoffs.set(name, { reason, message, failures, at: this.now });
	}

	#start(name: string, attempt: number): void {
		this.started.push(`${name}#${attempt}`);
		const list = this.attempts.get(name) ?? [];
		const id = `${name}_${attempt}`;
		const { image = '' } = containerNamed(this.pod, name) ?? {};
		list.push({ id, attempt, image, imageRef: 'image', state: 'running', startedAt: this.now });
		this.attempts.set(name, list);
		if (containerNamed(this.pod, name)?.lifecycle?.postStart) this.postStarts.set(id, 'running');
	}

	/** Removes an attempt from the runtime. */
	remove(name: string, id: string): void {
		this.removed.push(id);
		const left = (this.attempts.get(name) ?? []).filter((each) => each.id !== id);
		if (left.length > 0) this.attempts.set(name, left);
		else this.attempts.delete(name);
	}

	/** Whether the container runs. */
	runs(name: string): boolean {
		return this.attempts.get(name)?.at(-1)?.state === 'running';
	}

	/** Ends the running attempt of the container. */
	exit(name: string, exitCode: number): void {
		const list = this.attempts.get(name) ?? [];
		const last = list.pop();
		if (last?.state !== 'running') throw new Error(`${name} does not run`);
		const reason = exitCode === 0 ? 'Completed' : 'Error';
		list.push({ ...last, state: 'exited', finishedAt: this.now, exitCode, reason });
	}

	/** Starts the deletion of the Pod. */
	delete(graceSeconds = 30): void {
		const deletionTimestamp = formatTime(this.now + graceSeconds * 1000);
		const metadata = { ...this.pod.metadata, deletionTimestamp, deletionGracePeriodSeconds: graceSeconds };
		this.pod = { ...this.pod, metadata };
	}

	/** The waiting reason of a container, as the Pod's status has it. */
	waiting(name: string): { readonly reason?: string; readonly message?: string } | undefined {
		return this.status(name)?.state?.waiting;
	}

	condition(type: string): string {
		const found = findCondition(this.pod.status.conditions, type);
		return [found?.status, found?.reason].filter(Boolean).join(' ');
	}
}
