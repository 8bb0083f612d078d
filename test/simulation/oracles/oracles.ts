import type { CronJob } from '../../../src/api/batch/cronjob/schema.ts';
import type { Job } from '../../../src/api/batch/job/schema.ts';
import type { Node } from '../../../src/api/core/node/schema.ts';
import type { Pod } from '../../../src/api/core/pod/schema.ts';
import type { KubeObject } from '../../../src/api/meta/object-meta.ts';
import { CronJobOracle, type CronJobOracleOptions } from './cronjob-oracle.ts';
import { DeletionOracle, type DeletionOracleOptions } from './deletion-oracle.ts';
import { JobOracle, type JobOracleOptions } from './job-oracle.ts';
import { NodeOracle, type NodeOracleOptions } from './node-oracle.ts';
import { PlacementOracle, type PlacementOracleOptions } from './placement-oracle.ts';
import { PodOracle, type PodOracleOptions } from './pod-oracle.ts';

/** What each oracle needs. */
export interface OraclesOptions {
	readonly pods: PodOracleOptions;
	readonly jobs: JobOracleOptions;
	readonly cronJobs: CronJobOracleOptions;
	readonly nodes: NodeOracleOptions;
	readonly placements: PlacementOracleOptions;
	readonly deletions: DeletionOracleOptions;
}

/**
 * All oracles of a run. Each judges one part of the invariants in violations.ts; this class passes every change
 * of the store to those that it concerns. There is one oracle for each Job and each CronJob, and one of every
 * other kind. Invariants about the final state are checked in final-state.ts.
 */
export class Oracles {
	readonly pods: PodOracle;
	readonly #nodes: NodeOracle;
	readonly #placements: PlacementOracle;
	readonly #deletions: DeletionOracle;
	readonly #options: OraclesOptions;
	readonly #jobs = new Map<string, JobOracle>();
	readonly #cronJobs = new Map<string, CronJobOracle>();

	constructor(options: OraclesOptions) {
		this.#options = options;
		this.pods = new PodOracle(options.pods);
		this.#nodes = new NodeOracle(options.nodes);
		this.#placements = new PlacementOracle(options.placements);
		this.#deletions = new DeletionOracle(options.deletions);
	}

	/** The oracles of the CronJobs that exist. */
	get cronJobs(): readonly CronJobOracle[] {
		return [...this.#cronJobs.values()].filter(({ isGone }) => !isGone);
	}

	/** An object has been created (no `old`), updated (both) or removed from the store (no `object`). */
	changed(object: KubeObject | undefined, old: KubeObject | undefined): void {
		const kind = (object ?? old)?.kind;
		if (!object && old) this.#deletions.objectRemoved(old);
		// The casts are safe: `kind` determines the type.
		if (kind === 'Node' && object)
			this.#nodes.nodeChanged(object as unknown as Node, old as unknown as Node | undefined);
		if (kind === 'CronJob') this.#cronJobChanged(object as unknown as CronJob | undefined, old?.metadata.uid);
		if (kind === 'Job')
			this.#jobChanged(object as unknown as Job | undefined, old as unknown as Job | undefined);
		if (kind === 'Pod')
			this.#podChanged(object as unknown as Pod | undefined, old as unknown as Pod | undefined);
	}

	#cronJobChanged(cronJob: CronJob | undefined, oldUid = ''): void {
		const { uid = '' } = cronJob?.metadata ?? {};
		const oracle = this.#cronJobs.get(cronJob ? uid : oldUid);
		if (!cronJob) oracle?.cronJobRemoved();
		else if (oracle) oracle.cronJobChanged(cronJob);
		else this.#cronJobs.set(uid, new CronJobOracle(cronJob, this.#options.cronJobs));
	}

	#jobChanged(job: Job | undefined, old: Job | undefined): void {
		this.#deletions.jobChanged(job, old);
		const { uid = '' } = (job ?? old)?.metadata ?? {};
		const oracle = this.#jobs.get(uid);
		if (!job) oracle?.jobRemoved();
		else if (oracle) oracle.jobChanged(job);
		else this.#jobs.set(uid, new JobOracle(job, this.#options.jobs));
		const before = old && this.#cronJobs.get(controllerUidOf(old));
		const after = job && this.#cronJobs.get(controllerUidOf(job));
		if (old && before && before !== after) before.jobRemoved(old);
		else if (job && old && after) after.jobChanged(job);
		if (job && after && after !== before) after.jobCreated(job);
	}

	#podChanged(pod: Pod | undefined, old: Pod | undefined): void {
		if (pod) this.pods.podChanged(pod, old);
		if (pod) this.#nodes.podChanged(pod, old);
		if (pod) this.#placements.podChanged(pod, old);
		const before = old && this.#jobs.get(controllerUidOf(old));
		const after = pod && this.#jobs.get(controllerUidOf(pod));
		if (old && before && before !== after) {
			if (pod) before.podOrphaned(old);
			else before.podRemoved(old);
		} else if (pod && old && after) after.podChanged(pod, old);
		if (!pod || !after || after === before) return;
		if (old) after.podAdopted(pod);
		else after.podCreated(pod);
	}
}

function controllerUidOf({ metadata }: KubeObject): string {
	return metadata.ownerReferences?.find(({ controller }) => controller)?.uid ?? '';
}
