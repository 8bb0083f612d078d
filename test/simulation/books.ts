import type { CronJob } from '../../src/api/batch/cronjob/schema.ts';
import type { Job } from '../../src/api/batch/job/schema.ts';
import type { Node } from '../../src/api/core/node/schema.ts';
import type { Pod } from '../../src/api/core/pod/schema.ts';
import type { KubeObject } from '../../src/api/meta/object-meta.ts';
import { CronJobBook, type CronJobBookOptions } from './cronjob-book.ts';
import { DepartureBook, type DepartureBookOptions } from './departure-book.ts';
import { JobBook, type JobBookOptions } from './job-book.ts';
import { NodeBook, type NodeBookOptions } from './node-book.ts';
import { PlacementBook, type PlacementBookOptions } from './placement-book.ts';
import { PodBook, type PodBookOptions } from './pod-book.ts';

/** What {@link Books} are made of. */
export interface BooksOptions {
	readonly pods: PodBookOptions;
	readonly jobs: JobBookOptions;
	readonly cronJobs: CronJobBookOptions;
	readonly nodes: NodeBookOptions;
	readonly placements: PlacementBookOptions;
	readonly departures: DepartureBookOptions;
}

/** All the books that are kept, each told of the changes that concern it. */
export class Books {
	readonly pods: PodBook;
	readonly #nodes: NodeBook;
	readonly #placements: PlacementBook;
	readonly #departures: DepartureBook;
	readonly #options: BooksOptions;
	readonly #jobs = new Map<string, JobBook>();
	readonly #cronJobs = new Map<string, CronJobBook>();

	constructor(options: BooksOptions) {
		this.#options = options;
		this.pods = new PodBook(options.pods);
		this.#nodes = new NodeBook(options.nodes);
		this.#placements = new PlacementBook(options.placements);
		this.#departures = new DepartureBook(options.departures);
	}

	/** The books of the CronJobs that are there. */
	get cronJobs(): readonly CronJobBook[] {
		return [...this.#cronJobs.values()].filter(({ isGone }) => !isGone);
	}

	/** Something was made, changed or went. */
	changed(object: KubeObject | undefined, old: KubeObject | undefined): void {
		const kind = (object ?? old)?.kind;
		if (!object && old) this.#departures.ownerGone(old);
		// The kind says what they are.
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
		const book = this.#cronJobs.get(cronJob ? uid : oldUid);
		if (!cronJob) book?.cronJobGone();
		else if (book) book.cronJobChanged(cronJob);
		else this.#cronJobs.set(uid, new CronJobBook(cronJob, this.#options.cronJobs));
	}

	#jobChanged(job: Job | undefined, old: Job | undefined): void {
		this.#departures.jobChanged(job, old);
		const { uid = '' } = (job ?? old)?.metadata ?? {};
		const book = this.#jobs.get(uid);
		if (!job) book?.jobGone();
		else if (book) book.jobChanged(job);
		else this.#jobs.set(uid, new JobBook(job, this.#options.jobs));
		const before = old && this.#cronJobs.get(controllerUidOf(old));
		const after = job && this.#cronJobs.get(controllerUidOf(job));
		if (old && before && before !== after) before.jobGone(old);
		else if (job && old && after) after.jobChanged(job);
		if (job && after && after !== before) after.jobMade(job);
	}

	#podChanged(pod: Pod | undefined, old: Pod | undefined): void {
		if (pod) this.pods.podChanged(pod, old);
		if (pod) this.#nodes.podChanged(pod, old);
		if (pod) this.#placements.podChanged(pod, old);
		const before = old && this.#jobs.get(controllerUidOf(old));
		const after = pod && this.#jobs.get(controllerUidOf(pod));
		if (old && before && before !== after) {
			if (pod) before.podLeft(old);
			else before.podGone(old);
		} else if (pod && old && after) after.podChanged(pod, old);
		if (!pod || !after || after === before) return;
		if (old) after.podAdopted(pod);
		else after.podMade(pod);
	}
}

function controllerUidOf({ metadata }: KubeObject): string {
	return metadata.ownerReferences?.find(({ controller }) => controller)?.uid ?? '';
}
