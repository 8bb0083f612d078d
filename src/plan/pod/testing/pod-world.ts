import type { RuntimeTraits } from '../../../api/contract/runtime-traits.ts';
import type { Container, Pod, PodSpec, PodStatus } from '../../../api/core/pod/schema.ts';
import { findCondition } from '../../../api/meta/conditions.ts';
import { formatTime } from '../../../api/meta/time.ts';
import { semanticEqual } from '../../../api/schema/equality.ts';
import type { PodPlan } from '../plan.ts';
import { planPod } from '../plan-pod.ts';
import { type Attempt, type PodSnapshot, type StartBackoff, WHOLE_POD } from '../snapshot.ts';

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
	};
	readonly attempts = new Map<string, Attempt[]>();
	readonly startBackoffs = new Map<string, StartBackoff>();
	/** The started attempts, as `container#attempt`. */
	readonly started: string[] = [];
	/** The ids of the removed attempts. */
	readonly removed: string[] = [];
	/** The statuses that had to be written before a step. */
	readonly writtenFirst: PodStatus[] = [];
	/** The names of the stopped containers. */
	readonly stopped: string[] = [];
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
		return { pod, now, runtime: 'fake', traits, hostIP: '127.0.0.1', sandbox, attempts, startBackoffs };
	}

	/** Applies plans until no step is left now; returns the last plan, whose status is written. */
	settle(): PodPlan {
		for (;;) {
			const plan = planPod(this.snapshot());
			if (plan.statusFirst && !semanticEqual(plan.status, this.pod.status)) {
				this.pod = { ...this.pod, status: plan.status };
				this.writtenFirst.push(plan.status);
				continue;
			}
			this.#record(plan);
			if (plan.sandbox) {
				this.hasSandbox = true;
				this.startBackoffs.delete(WHOLE_POD);
			}
			if (plan.mountFailure) this.#hinder(WHOLE_POD, 'FailedMount', plan.mountFailure.message);
			for (const { name } of plan.stops) this.stopped.push(name);
			for (const { id, name } of plan.removals) this.remove(name, id);
			for (const { container, attempt, heldBack } of plan.starts) {
				if (!heldBack) this.#start(container.name, attempt);
				else this.#hinder(container.name, 'CreateContainerConfigError', heldBack.message);
			}
			if (plan.sandbox || plan.mountFailure || plan.starts.length + plan.removals.length > 0) continue;
			this.pod = { ...this.pod, status: plan.status };
			return plan;
		}
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
		list.push({ id, attempt, imageRef: 'image', state: 'running', startedAt: this.now });
		this.attempts.set(name, list);
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
		const { initContainerStatuses = [], containerStatuses = [] } = this.pod.status;
		return [...initContainerStatuses, ...containerStatuses].find((each) => each.name === name)?.state
			?.waiting;
	}

	condition(type: string): string {
		const found = findCondition(this.pod.status.conditions, type);
		return [found?.status, found?.reason].filter(Boolean).join(' ');
	}
}
