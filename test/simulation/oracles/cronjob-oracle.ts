import type { CronJob } from '../../../src/api/batch/cronjob/schema.ts';
import type { Job } from '../../../src/api/batch/job/schema.ts';
import { isConditionTrue } from '../../../src/api/meta/conditions.ts';
import { timeOf } from '../../../src/api/meta/time.ts';
import { semanticEqual } from '../../../src/api/schema/equality.ts';
import { approximate } from '../../../src/base/json/json.ts';
import { isFinished } from '../../../src/plan/job/conditions.ts';
import { latestSlot } from './cronjob-slots.ts';
import type { Violations } from './violations.ts';

/** What the CronJob controller can have known when it made the decision whose effect is in the store now. */
export interface CronJobKnowledge {
	/** The time now. */
	now(): number;
	/** The earliest time at which the controller can have made the decision that takes effect now. */
	since(): number;
	/** The versions of the CronJob that the controller can have used for its decision. */
	versions(cronJobUid: string): readonly CronJob[];
	/** Whether the controller had received the Job early enough to use it for its decision. */
	knewOf(jobUid: string): boolean;
	/** Whether a user has deleted the Job. */
	deletedByUsers(jobUid: string): boolean;
}

/** What a {@link CronJobOracle} needs. */
export interface CronJobOracleOptions {
	readonly violations: Violations;
	readonly knowledge: CronJobKnowledge;
}

/** A Job that the controller created for a slot. */
interface Run {
	readonly uid: string;
	readonly dueMs: number;
	job: Job;
	isGone: boolean;
	/** When the Job finished or was deleted. */
	overAt?: number;
	/**
	 * The status moved past the slot without naming the Job, because the controller could not know of it. The
	 * controller never adds such a Job to the active ones later.
	 */
	isForgotten: boolean;
}

/**
 * Judges every stored change of one CronJob and of its Jobs, from the store's contents alone (invariants 7
 * and 16 of violations.ts). It repeats the rules in their simplest form and shares no code with the
 * controller's plan.
 */
export class CronJobOracle {
	readonly #violations: Violations;
	readonly #knowledge: CronJobKnowledge;
	/** All Jobs that the controller ever created for slots, by UID. */
	readonly #runs = new Map<string, Run>();
	/** The existing Jobs that users created from the template, by UID. */
	readonly #byHand = new Map<string, Job>();
	#cronJob: CronJob;
	#isGone = false;

	constructor(cronJob: CronJob, { violations, knowledge }: CronJobOracleOptions) {
		this.#cronJob = cronJob;
		this.#violations = violations;
		this.#knowledge = knowledge;
	}

	get isGone(): boolean {
		return this.#isGone;
	}

	/** The CronJob has been updated. */
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
		this.#check(last === lastOf(old) || isOfRun, 'lastScheduleTime is that of no Job');
		this.#checkActive(old, cronJob);
	}

	/** The CronJob has been removed from the store. */
	cronJobRemoved(): void {
		this.#isGone = true;
	}

	/** A Job of the CronJob has been created. */
	jobCreated(job: Job): void {
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
		const reasons = (): string => `Job ${name} is created ${[...new Set(doubts)].join(' or ') || 'blindly'}`;
		this.#check(doubts.includes(undefined), reasons);
		this.#runs.set(uid, { uid, dueMs, job, isGone: false, isForgotten: false });
	}

	/** A Job of the CronJob has been updated. */
	jobChanged(job: Job): void {
		const { uid = '' } = job.metadata;
		const run = this.#runs.get(uid);
		if (run) {
			run.job = job;
			if (isFinished(job)) run.overAt ??= this.#knowledge.now();
		} else this.#byHand.set(uid, job);
	}

	/** A Job of the CronJob has been removed from the store, or has lost its owner reference. */
	jobRemoved({ metadata: { uid = '' } }: Job): void {
		this.#byHand.delete(uid);
		const run = this.#runs.get(uid);
		if (!run) return;
		run.isGone = true;
		run.overAt ??= this.#knowledge.now();
	}

	/** What still differs from the state that the CronJob must reach in the end; empty once it is reached. */
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
				isConditionTrue(job.status.conditions, type),
			);
		const { successfulJobsHistoryLimit = 3, failedJobsHistoryLimit = 1 } = spec;
		if (ended('Complete').length > successfulJobsHistoryLimit) found.push('too many completed Jobs are kept');
		if (ended('Failed').length > failedJobsHistoryLimit) found.push('too many failed Jobs are kept');
		const reported = timeOf(status.lastSuccessfulTime) ?? 0;
		const late = ended('Complete').some((job) => (timeOf(job.status.completionTime) ?? 0) > reported);
		if (late) found.push('lastSuccessfulTime is not that of the latest success');
		return found.map((text) => `CronJob ${this.#cronJob.metadata.name}: ${text}`);
	}

	/**
	 * Called once no fault has occurred for a while: the latest slot after `sinceMs` has its Job, if it may have
	 * one.
	 */
	checkPunctual(sinceMs: number): void {
		const { spec, metadata, status } = this.#cronJob;
		if (spec.suspend || metadata.deletionTimestamp) return;
		const latest = latestSlot(spec, this.#knowledge.now());
		if (latest <= sinceMs || latest <= (timeOf(metadata.creationTimestamp) ?? 0)) return;
		// Under Forbid a running Job delays the next slot, until that has missed its starting deadline.
		const lateMs = latest + approximate(spec.startingDeadlineSeconds ?? 1e6) * 1000;
		const blockedSlot = ({ overAt }: Run): boolean => overAt !== undefined && overAt > lateMs;
		const isActive = (status.active ?? []).length > 0;
		const waits =
			spec.concurrencyPolicy === 'Forbid' && (isActive || [...this.#runs.values()].some(blockedSlot));
		this.#check(
			lastOf(this.#cronJob) === latest || waits,
			() => `has no Job for ${new Date(latest).toISOString()}`,
		);
	}

	/** Existing Jobs that have not finished and that the controller can know of. */
	#rivals(): readonly Run[] {
		return [...this.#runs.values()].filter(
			({ isGone, isForgotten, job, uid }) =>
				!isGone && !isForgotten && !isFinished(job) && this.#knowledge.knewOf(uid),
		);
	}

	/**
	 * Why the controller must not create a Job for a slot if it saw this version of the CronJob; undefined if it
	 * may.
	 */
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
		if (dueMs <= last) return 'for a time that already had its Job';
		const rivals = this.#rivals();
		if (spec.concurrencyPolicy === 'Forbid' && rivals.length > 0) return 'beside another, under Forbid';
		const left = rivals.some(({ job }) => job.metadata.deletionTimestamp === undefined);
		if (spec.concurrencyPolicy === 'Replace' && left) return 'beside another, under Replace';
		return undefined;
	}

	/**
	 * A slot gets one Job, with one exception: if a user or the TTL controller deleted the first Job before
	 * the status named it, the controller has no trace of it and creates it again.
	 */
	#checkSlot(name: string, dueMs: number): void {
		for (const run of this.#runs.values()) {
			if (run.dueMs !== dueMs) continue;
			const byOthers =
				this.#knowledge.deletedByUsers(run.uid) || run.job.spec.ttlSecondsAfterFinished !== undefined;
			this.#check(run.isGone && byOthers, `Job ${name} is created a second time`);
		}
	}

	#checkActive(old: CronJob, cronJob: CronJob): void {
		const { active = [] } = cronJob.status;
		const uids = new Set(active.map(({ uid }) => uid ?? ''));
		this.#check(uids.size === active.length, 'a Job is active twice');
		for (const uid of uids) this.#check(this.#runs.has(uid), `Job ${uid} is active and was never created`);
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
		const message = (): string =>
			`CronJob ${this.#cronJob.metadata.name}: ${typeof text === 'string' ? text : text()}`;
		this.#violations.check(holds, 7, message);
	}
}

/** The status' lastScheduleTime, in ms since the epoch; 0 before the first Job. */
function lastOf({ status }: CronJob): number {
	return timeOf(status.lastScheduleTime) ?? 0;
}
