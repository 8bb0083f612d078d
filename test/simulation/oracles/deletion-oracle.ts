import type { CronJob } from '../../../src/api/batch/cronjob/schema.ts';
import type { Job } from '../../../src/api/batch/job/schema.ts';
import { isConditionTrue } from '../../../src/api/meta/conditions.ts';
import { controllerOf } from '../../../src/api/meta/controller-reference.ts';
import type { KubeObject } from '../../../src/api/meta/object-meta.ts';
import { timeOf } from '../../../src/api/meta/time.ts';
import { isFinished } from '../../../src/plan/job/conditions.ts';
import type { Violations } from './violations.ts';

/** The reasons that a component or a user can have had to delete a Job. */
export interface DeletionKnowledge {
	/** The time now. */
	now(): number;
	/** The CronJob, if it exists. */
	cronJob(uid: string): CronJob | undefined;
	/** The versions of the CronJob that its controller can have used for its decision. */
	versions(cronJobUid: string): readonly CronJob[];
	/** The versions of the Job that the CronJob controller can have used for its decision. */
	jobVersions(jobUid: string): readonly Job[];
	/** Whether a user has deleted the Job. */
	deletedByUsers(jobUid: string): boolean;
	/** Whether users sent more than one delete request for it: each can ask for another propagation policy. */
	wasDeletedAgain(resource: string, name: string): boolean;
	/** The existing objects with an owner reference to this owner. */
	dependents(ownerUid: string): readonly KubeObject[];
	/** Whether the control plane had received the object with this owner before this instant. */
	knewOwned(uid: string, ownerUid: string): boolean;
}

/** What a {@link DeletionOracle} needs. */
export interface DeletionOracleOptions {
	readonly violations: Violations;
	readonly knowledge: DeletionKnowledge;
}

/** Judges each deletion of a Job and what happens to its dependents (invariants 20 and 23 of violations.ts). */
export class DeletionOracle {
	readonly #options: DeletionOracleOptions;
	/** The finished Jobs of each CronJob, deleted ones included. */
	readonly #ended = new Map<string, Map<string, 'Complete' | 'Failed'>>();

	constructor(options: DeletionOracleOptions) {
		this.#options = options;
	}

	/** A Job has been created or updated, or (without `job`) removed from the store. */
	jobChanged(job: Job | undefined, old: Job | undefined): void {
		if (job) this.#recordEnd(job);
		if (!old || old.metadata.deletionTimestamp) return;
		if (job && !job.metadata.deletionTimestamp) return;
		const message = (): string =>
			`Job ${old.metadata.name} is deleted for no reason: ${JSON.stringify(old.status.conditions)}`;
		this.#options.violations.check(this.#isWanted(old), 20, message);
	}

	/**
	 * An object has been removed from the store. After orphan deletion no dependent may still refer to it; after
	 * foreground deletion no dependent that blocks its owner's deletion may still exist.
	 */
	objectRemoved({ metadata, kind }: KubeObject): void {
		const { uid = '', name, deletionTimestamp, finalizers = [] } = metadata;
		const isOrphaning = finalizers.includes('orphan');
		if (!deletionTimestamp || !(isOrphaning || finalizers.includes('foregroundDeletion'))) return;
		const { knowledge, violations } = this.#options;
		if (knowledge.wasDeletedAgain(`${kind?.toLowerCase()}s`, name ?? '')) return;
		const left = knowledge.dependents(uid).filter(({ metadata: { uid: each = '', ownerReferences } }) => {
			const blocks = ownerReferences?.some((owner) => owner.uid === uid && owner.blockOwnerDeletion);
			return (isOrphaning || blocks) && knowledge.knewOwned(each, uid);
		});
		const names = left.map((each) => `${each.kind} ${each.metadata.name}`).join(', ');
		violations.check(left.length === 0, 23, `${kind} ${name} is deleted, and ${names} still refers to it`);
	}

	#recordEnd(job: Job): void {
		const owner = controllerOf(job)?.uid;
		if (owner === undefined || !isFinished(job)) return;
		const ended = this.#ended.get(owner) ?? new Map<string, 'Complete' | 'Failed'>();
		ended.set(job.metadata.uid ?? '', typeOfEnd(job));
		this.#ended.set(owner, ended);
	}

	#isWanted(job: Job): boolean {
		const { knowledge } = this.#options;
		const isByUser = knowledge.deletedByUsers(job.metadata.uid ?? '');
		return isByUser || this.#isOverdue(job) || this.#isWantedByCronJob(job);
	}

	/** Whether its ttlSecondsAfterFinished has passed. */
	#isOverdue(job: Job): boolean {
		const { ttlSecondsAfterFinished } = job.spec;
		if (!isFinished(job) || ttlSecondsAfterFinished === undefined) return false;
		const end = job.status.conditions?.find(({ type }) => type === typeOfEnd(job));
		const endMs = timeOf(end?.lastTransitionTime) ?? Number.POSITIVE_INFINITY;
		return endMs + ttlSecondsAfterFinished * 1000 <= this.#options.knowledge.now();
	}

	#isWantedByCronJob(job: Job): boolean {
		const { knowledge } = this.#options;
		const owner = controllerOf(job)?.uid;
		if (owner === undefined) return false;
		const cronJob = knowledge.cronJob(owner);
		if (!cronJob || cronJob.metadata.deletionTimestamp) return true;
		const specs = knowledge.versions(owner).map(({ spec }) => spec);
		const replaces = specs.some(({ concurrencyPolicy }) => concurrencyPolicy === 'Replace');
		const known = knowledge.jobVersions(job.metadata.uid ?? '');
		if (replaces && known.some((each) => !isFinished(each))) return true;
		if (!isFinished(job)) return false;
		const type = typeOfEnd(job);
		const count = [...(this.#ended.get(owner)?.values() ?? [])].filter((each) => each === type).length;
		return specs.some(({ successfulJobsHistoryLimit = 3, failedJobsHistoryLimit = 1 }) => {
			const limit = type === 'Complete' ? successfulJobsHistoryLimit : failedJobsHistoryLimit;
			return count > limit;
		});
	}
}

function typeOfEnd({ status }: Job): 'Complete' | 'Failed' {
	return isConditionTrue(status.conditions, 'Complete') ? 'Complete' : 'Failed';
}
