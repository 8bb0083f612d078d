import type { CronJob } from '../../src/api/batch/cronjob/schema.ts';
import type { Job } from '../../src/api/batch/job/schema.ts';
import { semanticEqual } from '../../src/api/meta/equality.ts';
import { timeOf } from '../../src/api/meta/time.ts';
import { approximate } from '../../src/base/json.ts';
import { isFinished, isTrue } from '../../src/plan/job/conditions.ts';
import { latestSlot } from './cronjob-slots.ts';
import type { Violations } from './violations.ts';

/** What the controller of CronJobs can have known when it made a decision that shows now. */
export interface CronJobKnowledge {
	/** The time now. */
	now(): number;
	/** A decision that shows now was made at this time or later. */
	since(): number;
	/** The versions of the CronJob that it can have decided from. */
	versions(cronJobUid: string): readonly CronJob[];
	/** Whether it knew that the Job was there, long enough ago to have decided from it. */
	knewOf(jobUid: string): boolean;
	/** Whether users have deleted the Job. */
	deletedByUsers(jobUid: string): boolean;
}

/** What a {@link CronJobBook} is made with. */
export interface CronJobBookOptions {
	readonly violations: Violations;
	readonly knowledge: CronJobKnowledge;
}

/** A Job that was made for a slot. */
interface Run {
	readonly uid: string;
	readonly dueMs: number;
	job: Job;
	isGone: boolean;
	/** When it was over: the Job ended or went. */
	overAt?: number;
	/** The status went beyond the slot without naming the Job, which nobody could know of; it is not made up for. */
	isForgotten: boolean;
}

/** Keeps book beside one CronJob, by what is stored and nothing else; see violations.ts for the numbers. */
export class CronJobBook {
	readonly #violations: Violations;
	readonly #knowledge: CronJobKnowledge;
	/** All Jobs that were ever made for slots, by UID. */
	readonly #runs = new Map<string, Run>();
	/** The Jobs that users made from the template and that are there, by UID. */
	readonly #byHand = new Map<string, Job>();
	#cronJob: CronJob;
	#isGone = false;

	constructor(cronJob: CronJob, { violations, knowledge }: CronJobBookOptions) {
		this.#cronJob = cronJob;
		this.#violations = violations;
		this.#knowledge = knowledge;
	}

	get isGone(): boolean {
		return this.#isGone;
	}

	/** The CronJob was changed. */
	cronJobChanged(cronJob: CronJob): void {
		const old = this.#cronJob;
		this.#cronJob = cronJob;
		const { status } = cronJob;
		if (semanticEqual(old.status, status)) return;
		const last = lastOf(cronJob);
		this.#check(last >= lastOf(old), 'lastScheduleTime goes back');
		const success = (of: CronJob): number => timeOf(of.status.lastSuccessfulTime) ?? 0;
		this.#check(success(cronJob) >= success(old), 'lastSuccessfulTime goes back');
		const isOfRun = [...this.#runs.values()].some(({ dueMs }) => dueMs === last);
		this.#check(last === lastOf(old) || isOfRun, 'lastScheduleTime tells of a Job that was never made');
		this.#checkActive(old, cronJob);
	}

	/** The CronJob is gone. */
	cronJobGone(): void {
		this.#isGone = true;
	}

	/** A Job of the CronJob was made. */
	jobMade(job: Job): void {
		const { uid = '', name = '', annotations } = job.metadata;
		if (annotations?.['cronjob.kubernetes.io/instantiate'] === 'manual') {
			this.#byHand.set(uid, job);
			return;
		}
		const dueMs = timeOf(annotations?.['batch.kubernetes.io/cronjob-scheduled-timestamp']) ?? 0;
		const named = `${this.#cronJob.metadata.name}-${dueMs / 60_000}`;
		this.#check(name === named, `Job ${name} should be ${named}`);
		this.#checkSlot(name, dueMs);
		const versions = this.#knowledge.versions(this.#cronJob.metadata.uid ?? '');
		const doubts = versions.map((version) => this.#doubtOf(version, dueMs));
		const reasons = (): string => `Job ${name} is made ${[...new Set(doubts)].join(' or ') || 'blindly'}`;
		this.#check(doubts.includes(undefined), reasons);
		this.#runs.set(uid, { uid, dueMs, job, isGone: false, isForgotten: false });
	}

	/** A Job of the CronJob was changed. */
	jobChanged(job: Job): void {
		const { uid = '' } = job.metadata;
		const run = this.#runs.get(uid);
		if (run) {
			run.job = job;
			if (isFinished(job)) run.overAt ??= this.#knowledge.now();
		} else this.#byHand.set(uid, job);
	}

	/** A Job of the CronJob is gone, or is the CronJob's no more. */
	jobGone({ metadata: { uid = '' } }: Job): void {
		this.#byHand.delete(uid);
		const run = this.#runs.get(uid);
		if (!run) return;
		run.isGone = true;
		run.overAt ??= this.#knowledge.now();
	}

	/** How the CronJob is not yet as it must be in the end. */
	remains(): readonly string[] {
		const { spec, status } = this.#cronJob;
		const runs = [...this.#runs.values()].filter(({ isGone }) => !isGone);
		const found: string[] = [];
		const active = status.active ?? [];
		for (const { uid, job, isForgotten } of runs) {
			const named = active.some((reference) => reference.uid === uid);
			if (!named && !isFinished(job) && !isForgotten) found.push(`${job.metadata.name} is not active`);
		}
		for (const { uid, name } of active) {
			const run = this.#runs.get(uid ?? '');
			if (!run || run.isGone || isFinished(run.job)) found.push(`${name} is active and has ended`);
		}
		const ended = (type: 'Complete' | 'Failed'): readonly Job[] =>
			[...runs.map(({ job }) => job), ...this.#byHand.values()].filter((job) =>
				isTrue(job.status.conditions, type),
			);
		const { successfulJobsHistoryLimit = 3, failedJobsHistoryLimit = 1 } = spec;
		if (ended('Complete').length > successfulJobsHistoryLimit) found.push('too many completed Jobs are kept');
		if (ended('Failed').length > failedJobsHistoryLimit) found.push('too many failed Jobs are kept');
		const told = timeOf(status.lastSuccessfulTime) ?? 0;
		const late = ended('Complete').some((job) => (timeOf(job.status.completionTime) ?? 0) > told);
		if (late) found.push('lastSuccessfulTime does not tell of the latest success');
		return found.map((text) => `CronJob ${this.#cronJob.metadata.name}: ${text}`);
	}

	/** Once nothing has gone wrong for a while: the latest slot since `sinceMs` has its Job, if it may have one. */
	checkPunctual(sinceMs: number): void {
		const { spec, metadata, status } = this.#cronJob;
		if (spec.suspend || metadata.deletionTimestamp) return;
		const latest = latestSlot(spec, this.#knowledge.now());
		if (latest <= sinceMs || latest <= (timeOf(metadata.creationTimestamp) ?? 0)) return;
		// Under Forbid a run keeps others waiting, until they are too late.
		const lateMs = latest + approximate(spec.startingDeadlineSeconds ?? 1e6) * 1000;
		const isInTheWay = ({ overAt }: Run): boolean => overAt !== undefined && overAt > lateMs;
		const isActive = (status.active ?? []).length > 0;
		const waits =
			spec.concurrencyPolicy === 'Forbid' && (isActive || [...this.#runs.values()].some(isInTheWay));
		this.#check(
			lastOf(this.#cronJob) === latest || waits,
			() => `has no Job for ${new Date(latest).toISOString()}`,
		);
	}

	/** Runs that are there and have not ended, as far as the controller can know of them. */
	#rivals(): readonly Run[] {
		return [...this.#runs.values()].filter(
			({ isGone, isForgotten, job, uid }) =>
				!isGone && !isForgotten && !isFinished(job) && this.#knowledge.knewOf(uid),
		);
	}

	/** Why the controller would not make a Job for a slot, did it see the CronJob so. */
	#doubtOf({ metadata, spec, status }: CronJob, dueMs: number): string | undefined {
		const now = this.#knowledge.now();
		const since = this.#knowledge.since();
		if (spec.suspend) return 'while it is suspended';
		if (metadata.deletionTimestamp) return 'while it is being deleted';
		if (latestSlot(spec, dueMs) !== dueMs) return 'at a time that is none of the schedule';
		if (dueMs > now) return 'before its time';
		if (dueMs < latestSlot(spec, since)) return 'though a later time has come';
		if (dueMs + approximate(spec.startingDeadlineSeconds ?? 1e6) * 1000 < since) return 'after its deadline';
		const last = timeOf(status.lastScheduleTime) ?? timeOf(metadata.creationTimestamp) ?? 0;
		if (dueMs <= last) return 'for a time that was seen to';
		const rivals = this.#rivals();
		if (spec.concurrencyPolicy === 'Forbid' && rivals.length > 0) return 'beside another, under Forbid';
		const left = rivals.some(({ job }) => job.metadata.deletionTimestamp === undefined);
		if (spec.concurrencyPolicy === 'Replace' && left) return 'beside another, under Replace';
		return undefined;
	}

	/**
	 * Where the first Job of a slot has gone by somebody else's hand before the status told of it, nobody
	 * can tell that it was ever made.
	 */
	#checkSlot(name: string, dueMs: number): void {
		for (const run of this.#runs.values()) {
			if (run.dueMs !== dueMs) continue;
			const byOthers =
				this.#knowledge.deletedByUsers(run.uid) || run.job.spec.ttlSecondsAfterFinished !== undefined;
			this.#check(run.isGone && byOthers, `Job ${name} is made a second time`);
		}
	}

	#checkActive(old: CronJob, cronJob: CronJob): void {
		const { active = [] } = cronJob.status;
		const uids = new Set(active.map(({ uid }) => uid ?? ''));
		this.#check(uids.size === active.length, 'a Job is active twice');
		for (const uid of uids) this.#check(this.#runs.has(uid), `Job ${uid} is active and was never made`);
		for (const { uid = '', name } of old.status.active ?? []) {
			const run = this.#runs.get(uid);
			const ends =
				!run || run.isGone || isFinished(run.job) || run.job.metadata.deletionTimestamp !== undefined;
			this.#check(uids.has(uid) || ends, `Job ${name} runs and is no longer active`);
		}
		if (lastOf(cronJob) === lastOf(old)) return;
		for (const run of this.#runs.values()) {
			if (run.isGone || isFinished(run.job) || uids.has(run.uid) || run.dueMs > lastOf(cronJob)) continue;
			this.#check(
				run.isForgotten || !this.#knowledge.knewOf(run.uid),
				`Job ${run.job.metadata.name} is forgotten`,
			);
			run.isForgotten = true;
		}
	}

	#check(holds: boolean, text: string | (() => string)): void {
		const told = (): string =>
			`CronJob ${this.#cronJob.metadata.name}: ${typeof text === 'string' ? text : text()}`;
		this.#violations.check(holds, 7, told);
	}
}

/** When a Job was due last, as the status tells; 0 before the first. */
function lastOf({ status }: CronJob): number {
	return timeOf(status.lastScheduleTime) ?? 0;
}
