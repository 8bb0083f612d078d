import { jobs } from '../../api/batch/job/definition.ts';
import type { Job, JobCondition } from '../../api/batch/job/schema.ts';
import { pods } from '../../api/core/pod/definition.ts';
import type { ContainerStatus, Pod } from '../../api/core/pod/schema.ts';
import { humanDuration } from '../../api/meta/duration.ts';
import { timeOf } from '../../api/meta/time.ts';
import type { Clock } from '../../base/clock.ts';
import { BY_OWNER, Informers } from '../../client/informers.ts';
import type { Connection } from '../context.ts';
import { logLines } from '../log-stream.ts';
import type { Screen } from './screen.ts';

/** What a {@link RunSession} is made of. */
export interface RunSessionOptions {
	readonly connection: Connection;
	readonly clock: Clock;
	readonly screen: Screen;
	/** Whether lines of logs name their Pod. */
	readonly prefixed: boolean;
}

/** How often the line at the bottom of the terminal counts on. */
const TICK_MS = 1000;

/**
 * Follows Jobs from their creation to their end: shows the log of each container of each Pod from its
 * first line, says once what a Pod waits for, and keeps the line that tells how things stand. All by
 * watching; nothing is asked for again and again.
 */
export class RunSession {
	readonly #options: RunSessionOptions;
	readonly #informers: Informers;
	readonly #stop = new AbortController();
	/** The UIDs of the Jobs and Pods it is about. */
	readonly #own = new Set<string>();
	readonly #finished = new Map<string, { readonly job: Job; readonly condition: JobCondition }>();
	/** Each attempt at a container whose log is or was shown, by its container id. */
	readonly #shown = new Map<string, Promise<void>>();
	readonly #told = new Set<string>();
	readonly #gone = new Set<string>();
	#changed = Promise.withResolvers<void>();

	constructor(options: RunSessionOptions) {
		this.#options = options;
		const { connection, clock } = options;
		this.#informers = new Informers({ client: connection.client, clock, onError: () => undefined });
		this.#informers.of(jobs).subscribe((job, old) => this.#observeJob(job, old));
		this.#informers.of(pods).subscribe((pod) => {
			if (pod) this.#observePod(pod);
			else this.#changed.resolve();
		});
	}

	/** Begins to watch; resolves once everything that is there is known. */
	async start(): Promise<void> {
		void this.#informers.run(this.#stop.signal);
		await this.#informers.synced();
		this.#tick();
	}

	/** Takes a Job in. */
	add(job: Job): void {
		this.#own.add(job.metadata.uid ?? '');
		const { namespace = '', name = '' } = job.metadata;
		this.#observeJob(this.#informers.of(jobs).get(namespace, name), undefined);
		for (const pod of this.#podsOf(job)) this.#observePod(pod);
	}

	/** Resolves once every Job has ended and all of its log was shown. */
	async ended(): Promise<readonly { readonly job: Job; readonly condition: JobCondition }[]> {
		while (this.#finished.size + this.#gone.size < this.#own.size) {
			await this.#changed.promise;
			this.#changed = Promise.withResolvers<void>();
		}
		await Promise.all(this.#shown.values());
		this.#options.screen.status('');
		return [...this.#finished.values()];
	}

	/** Resolves once no Pod of the Jobs is left. */
	async podsGone(): Promise<void> {
		const left = (): number => [...this.#own].reduce((sum, uid) => sum + this.#indexed(uid).length, 0);
		while (left() > 0) {
			this.#changed = Promise.withResolvers<void>();
			await this.#changed.promise;
		}
	}

	/** Ends the watching. */
	close(): void {
		this.#stop.abort();
		this.#options.screen.status('');
	}

	#indexed(uid: string): readonly Pod[] {
		return this.#informers.of(pods).indexed(BY_OWNER, uid);
	}

	#podsOf({ metadata }: Job): readonly Pod[] {
		return this.#indexed(metadata.uid ?? '');
	}

	#observeJob(job: Job | undefined, old: Job | undefined): void {
		const uid = (job ?? old)?.metadata.uid ?? '';
		if (!this.#own.has(uid)) return;
		if (!job) this.#gone.add(uid);
		const condition = job?.status.conditions?.find(
			({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True',
		);
		if (job && condition && !this.#finished.has(uid)) this.#finished.set(uid, { job, condition });
		this.#showStatus();
		this.#changed.resolve();
	}

	#observePod(pod: Pod): void {
		if (!pod.metadata.ownerReferences?.some(({ uid }) => this.#own.has(uid))) return;
		for (const status of [
			...(pod.status.initContainerStatuses ?? []),
			...(pod.status.containerStatuses ?? []),
		]) {
			this.#showLog(pod, status);
			this.#tellWait(pod, status);
		}
		const unschedulable = pod.status.conditions?.find(
			({ type, status }) => type === 'PodScheduled' && status === 'False',
		);
		if (unschedulable) this.#tell(pod, `${unschedulable.reason}: ${unschedulable.message}`);
	}

	/** Shows the log of a container's current run, once. */
	#showLog(pod: Pod, { name, state, containerID }: ContainerStatus): void {
		if (!containerID || (!state?.running && !state?.terminated) || this.#shown.has(containerID)) return;
		this.#shown.set(containerID, this.#follow(pod, name));
	}

	async #follow(pod: Pod, container: string): Promise<void> {
		const { connection, screen, prefixed } = this.#options;
		const several = pod.spec.containers.length + (pod.spec.initContainers?.length ?? 0) > 1;
		const source = several ? `${pod.metadata.name} ${container}` : pod.metadata.name;
		try {
			const lines = logLines(connection, pod, { container, follow: true, signal: this.#stop.signal });
			for await (const line of lines) screen.log(prefixed ? source : undefined, line);
		} catch (error) {
			if (!this.#stop.signal.aborted) screen.say(`${source}: its log cannot be shown: ${error}`);
		}
	}

	#tellWait(pod: Pod, { name, state, lastState }: ContainerStatus): void {
		const { reason, message } = state?.waiting ?? {};
		if (
			!reason ||
			reason === 'ContainerCreating' ||
			reason === 'PodInitializing' ||
			reason === 'ErrImagePull'
		)
			return;
		const end = lastState?.terminated;
		const why =
			reason === 'CrashLoopBackOff' && end ? `it ended with exit code ${end.exitCode}; ${message}` : message;
		this.#tell(pod, `${name}: ${reason}: ${why}`);
	}

	#tell(pod: Pod, text: string): void {
		const line = `pod/${pod.metadata.name}: ${text}`;
		if (this.#told.has(line)) return;
		this.#told.add(line);
		this.#options.screen.say(line);
	}

	#tick(): void {
		if (this.#stop.signal.aborted) return;
		this.#showStatus();
		this.#options.clock.setTimer(TICK_MS, () => this.#tick());
	}

	#showStatus(): void {
		const { clock, screen } = this.#options;
		const parts = [...this.#informers.of(jobs).all()]
			.filter(({ metadata }) => this.#own.has(metadata.uid ?? ''))
			.map(({ metadata, spec, status }) => {
				const wanted = spec.completions === undefined ? '' : `/${spec.completions}`;
				const failed = status.failed ? `, ${status.failed} failed` : '';
				const started = timeOf(status.startTime);
				const elapsed = started === undefined ? '' : `  ${humanDuration(clock.now() - started)}`;
				return `job/${metadata.name}: ${status.active ?? 0} active, ${status.succeeded ?? 0}${wanted} succeeded${failed}${elapsed}`;
			});
		screen.status(this.#finished.size < this.#own.size ? parts.join(' | ') : '');
	}
}
