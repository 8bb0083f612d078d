import { jobs } from '../../../src/api/batch/job/definition.ts';
import type { Job } from '../../../src/api/batch/job/schema.ts';
import { ApiError } from '../../../src/api/errors/api-error.ts';
import type { KubeObject } from '../../../src/api/meta/object-meta.ts';
import { isFinished } from '../../../src/plan/job/conditions.ts';
import type { Act, ActOptions } from './act.ts';
import { CronJobUsers } from './cronjob-users.ts';
import { drawJobSpec } from './job-specs.ts';
import { NodeUsers } from './node-users.ts';
import { PodUsers } from './pod-users.ts';

/**
 * Simulated users: each action is an ordinary API request whose parameters are drawn. Users never wait for
 * the effects of an action, and their objects share few names, so that creation, deletion and update of the
 * same object overlap often.
 */

/**
 * Users who create, update and delete CronJobs, Jobs, Pods and Nodes at random, independently of each other.
 */
export class Users {
	readonly #options: ActOptions;
	readonly #cronJobs: CronJobUsers;
	readonly #nodes: NodeUsers;
	readonly #pods: PodUsers;
	readonly #deletedJobs = new Set<string>();

	constructor(options: ActOptions) {
		this.#options = options;
		this.#cronJobs = new CronJobUsers(options);
		this.#nodes = new NodeUsers(options);
		this.#pods = new PodUsers(options);
	}

	/** Whether a user has sent a delete request for the Job. */
	haveDeletedJob(uid: string): boolean {
		return this.#deletedJobs.has(uid);
	}

	/** Performs one random action. An action that the server refuses is noted and not retried. */
	async act(): Promise<void> {
		const acts = [
			...repeat(6, () => this.#createJob()),
			...repeat(2, () => this.#deleteJob()),
			...repeat(2, () => this.#suspendOrResume()),
			...repeat(2, () => this.#scale()),
			() => this.#adjust(),
			...this.#pods.acts,
			...this.#cronJobs.acts,
			...this.#nodes.acts,
		];
		const act = acts[this.#options.dice.between(0, acts.length - 1)];
		if (act) await this.#tolerate(act);
	}

	/** Updates some CronJobs and orphans some Pods, while no fault occurs. */
	async changeWithoutFaults(): Promise<void> {
		for (const act of [...this.#cronJobs.changeSome, ...this.#pods.orphanSome]) await this.#tolerate(act);
	}

	/** Removes a destroyed machine from the cluster; see {@link NodeUsers.removeLost}. */
	async removeNode(name: string): Promise<void> {
		for (const act of this.#nodes.removeLost(name)) await this.#tolerate(act);
	}

	/** Suspends or deletes all CronJobs, and resumes all Jobs, Nodes and Pods that users had stopped or held. */
	async bringToEnd(): Promise<void> {
		const acts = [
			...this.#cronJobs.suspendAll,
			...this.#nodes.uncordonAll,
			...this.#pods.removeAllFinalizers,
		];
		for (const act of acts) await this.#tolerate(act);
		for (const job of this.#jobs()) {
			if (isFinished(job) || !(job.spec.suspend || job.spec.parallelism === 0)) continue;
			await this.#tolerate(() =>
				this.#change(job, { suspend: false, parallelism: Math.max(1, job.spec.parallelism ?? 1) }),
			);
		}
	}

	async #tolerate(act: Act): Promise<void> {
		try {
			await act();
		} catch (error) {
			if (!(error instanceof ApiError)) throw error;
			this.#note(`is refused: ${error.message}`);
		}
	}

	async #createJob(): Promise<void> {
		const { dice, client } = this.#options;
		const name = `job-${dice.between(0, 7)}`;
		if (this.#jobs().some(({ metadata }) => metadata.name === name)) return;
		const spec = drawJobSpec(dice);
		this.#note(`creates ${name} ${JSON.stringify(spec)}`);
		// The cast is safe: this is a manifest, which the server decodes and defaults.
		const job = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name }, spec } as unknown as Job;
		await client().resource(jobs, 'default').create(job);
	}

	async #deleteJob(): Promise<void> {
		const { dice, client } = this.#options;
		const job = this.#one(this.#jobs());
		if (!job) return;
		const propagationPolicy = dice.of('Background' as const, 'Foreground' as const, 'Orphan' as const);
		this.#note(`deletes ${job.metadata.name}, ${propagationPolicy}`);
		this.#deletedJobs.add(job.metadata.uid ?? '');
		await client()
			.resource(jobs, 'default')
			.delete(job.metadata.name ?? '', { propagationPolicy });
	}

	async #suspendOrResume(): Promise<void> {
		const job = this.#one(this.#jobs().filter((each) => !isFinished(each)));
		if (job) await this.#change(job, { suspend: !job.spec.suspend });
	}

	/**
	 * Scales a Job as the API allows it: an Indexed Job may change both numbers together, any other its
	 * parallelism.
	 */
	async #scale(): Promise<void> {
		const { dice } = this.#options;
		const job = this.#one(this.#jobs().filter((each) => !isFinished(each)));
		if (!job) return;
		const to = dice.between(0, 4);
		const elastic =
			job.spec.completionMode === 'Indexed' && !job.spec.successPolicy && to > 0 && dice.chance(0.5);
		await this.#change(job, { parallelism: to, ...(elastic && { completions: to }) });
	}

	/** Updates another mutable field of a Job. */
	async #adjust(): Promise<void> {
		const { dice } = this.#options;
		const job = this.#one(this.#jobs());
		if (!job) return;
		const change = dice.of<Record<string, unknown>>(
			{ activeDeadlineSeconds: dice.of(null, dice.between(5, 240)) },
			{ ttlSecondsAfterFinished: dice.of(null, dice.between(0, 120)) },
			job.spec.backoffLimitPerIndex === undefined
				? { backoffLimit: dice.between(0, 4) }
				: { maxFailedIndexes: 1 },
		);
		await this.#change(job, change);
	}

	async #change({ metadata: { name = '' } }: Job, spec: Record<string, unknown>): Promise<void> {
		this.#note(`changes ${name} ${JSON.stringify(spec)}`);
		await this.#options.client().resource(jobs, 'default').patch(name, 'merge', { spec });
	}

	#jobs(): readonly Job[] {
		// The cast is safe: the resource determines the type.
		return this.#options.history.all('jobs') as unknown as readonly Job[];
	}

	#one<T extends KubeObject>(objects: readonly T[]): T | undefined {
		return objects[this.#options.dice.between(0, objects.length - 1)];
	}

	#note(what: string): void {
		this.#options.trace.note('user', what);
	}
}

function repeat(count: number, act: Act): readonly Act[] {
	return Array.from({ length: count }, () => act);
}
