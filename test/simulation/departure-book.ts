import type { CronJob } from '../../src/api/batch/cronjob/schema.ts';
import type { Job } from '../../src/api/batch/job/schema.ts';
import { controllerOf } from '../../src/api/meta/controller-reference.ts';
import type { KubeObject } from '../../src/api/meta/object-meta.ts';
import { timeOf } from '../../src/api/meta/time.ts';
import { isFinished, isTrue } from '../../src/plan/job/conditions.ts';
import type { Violations } from './violations.ts';

/** Who can have wanted that a Job goes. */
export interface DepartureKnowledge {
	/** The time now. */
	now(): number;
	/** The CronJob, if it is there. */
	cronJob(uid: string): CronJob | undefined;
	/** The versions of the CronJob that its controller can have decided from. */
	versions(cronJobUid: string): readonly CronJob[];
	/** The versions of the Job that it can have decided from. */
	jobVersions(jobUid: string): readonly Job[];
	/** Whether users have deleted the Job. */
	deletedByUsers(jobUid: string): boolean;
	/** Whether its deletion was asked for more than once: each time another propagation may be wanted. */
	wasDeletedAgain(resource: string, name: string): boolean;
	/** What names this owner. */
	dependents(ownerUid: string): readonly KubeObject[];
	/** Whether the control plane was shown the object with this owner before this instant. */
	knewOwned(uid: string, ownerUid: string): boolean;
}

/** What a {@link DepartureBook} is made with. */
export interface DepartureBookOptions {
	readonly violations: Violations;
	readonly knowledge: DepartureKnowledge;
}

/** Judges each deletion of a Job, and what becomes of what it leaves; see violations.ts for the numbers. */
export class DepartureBook {
	readonly #options: DepartureBookOptions;
	/** The Jobs of each CronJob that have ended so far, also those that are gone. */
	readonly #ended = new Map<string, Map<string, 'Complete' | 'Failed'>>();

	constructor(options: DepartureBookOptions) {
		this.#options = options;
	}

	/** A Job was made or changed, or (without `job`) is gone. */
	jobChanged(job: Job | undefined, old: Job | undefined): void {
		if (job) this.#noteEnd(job);
		if (!old || old.metadata.deletionTimestamp) return;
		if (job && !job.metadata.deletionTimestamp) return;
		const told = (): string =>
			`Job ${old.metadata.name} is deleted and nobody wanted that: ${JSON.stringify(old.status.conditions)}`;
		this.#options.violations.check(this.#isWanted(old), 20, told);
	}

	/** Something that owns others is gone: nothing names it any more that was to stay, or to go before it. */
	ownerGone({ metadata, kind }: KubeObject): void {
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
		violations.check(left.length === 0, 23, `${kind} ${name} is gone, and ${names} still names it`);
	}

	#noteEnd(job: Job): void {
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

	/** Its time to live is over. */
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
		const seen = knowledge.jobVersions(job.metadata.uid ?? '');
		if (replaces && seen.some((each) => !isFinished(each))) return true;
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
	return isTrue(status.conditions, 'Complete') ? 'Complete' : 'Failed';
}
