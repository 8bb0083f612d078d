import assert from 'node:assert/strict';
import { jobs } from '../../src/api/batch/job/definition.ts';
import type { Job, JobSpec } from '../../src/api/batch/job/schema.ts';
import type { ApiRequest, ApiResponse, ApiTransport, ApiWatch } from '../../src/api/contract/transport.ts';
import { hasEnded } from '../../src/api/core/pod/phase.ts';
import type { Pod } from '../../src/api/core/pod/schema.ts';
import { ApiError, conflict, internalError, notFound } from '../../src/api/errors/api-error.ts';
import { formatTime } from '../../src/api/meta/time.ts';
import { successor } from '../../src/base/json/json.ts';
import { Metrics } from '../../src/base/metrics.ts';
import { ConcurrencyLimit } from '../../src/base/queue/concurrency-limit.ts';
import { Client } from '../../src/client/client.ts';
import { applyJobPlan } from '../../src/controllers/job/apply-plan.ts';
import { attentionTo, BATCH_MS } from '../../src/controllers/job/changes.ts';
import { BY_JOB, ORPHANS, POD_INDEXES } from '../../src/controllers/job/job-indexes.ts';
import { JobMetrics } from '../../src/controllers/job/job-metrics.ts';
import { JobWriter } from '../../src/controllers/job/job-writer.ts';
import { type BackoffHistory, recallBackoff } from '../../src/plan/job/backoff.ts';
import { isFinished } from '../../src/plan/job/conditions.ts';
import { planJob } from '../../src/plan/job/plan-job.ts';
import { isTracked } from '../../src/plan/job/pods/classify.ts';
import type { JobSnapshot } from '../../src/plan/job/snapshot.ts';
import { Ledger } from './ledger.ts';

/** The faults of one reconcile, by the number of the write at which they occur. */
export interface Faults {
	/** The controller crashes: this write and all later ones do not happen. */
	readonly crashAt?: number;
	/** The server refuses this write only. */
	readonly failAt?: number;
}

/**
 * One Job, its Pods, a fake server with the few requests that the controller sends, and the controller's real
 * plan and writer. The controller's cache is stale: it receives changes by others only through {@link
 * World.deliver}, but its own writes before its next reconcile. A real API server would make the histories of
 * the property test too slow.
 */
export class World implements ApiTransport {
	now = Date.UTC(2026, 0, 1);
	job: Job;
	readonly pods = new Map<string, Pod>();
	readonly ledger = new Ledger();
	/** Whether the Job's key is in the queue: a relevant change has arrived, or its timer has fired. */
	dirty = true;
	/** When the Job is due for its next reconcile, in ms since the epoch. */
	reconcileAt: number | undefined;
	#revision = 1;
	#serial = 0;
	#faults: Faults = {};
	#writes = 0;
	#podLog: { readonly revision: number; readonly name: string; readonly pod: Pod | undefined }[] = [];
	readonly #cachedPods = new Map<string, Pod>();
	#cachedJob: Job;
	#backoff: BackoffHistory | undefined;
	#failures = 0;
	readonly #client = new Client(this);
	readonly #metrics = new JobMetrics(new Metrics());

	constructor(job: Job) {
		this.job = {
			...job,
			metadata: { ...job.metadata, resourceVersion: '1', creationTimestamp: formatTime(this.now) },
		};
		this.#cachedJob = this.job;
	}

	/** Reconciles once, as JobController does. */
	async reconcile(faults: Faults = {}): Promise<void> {
		if (isFinished(this.#cachedJob)) return;
		this.dirty = false;
		this.reconcileAt = undefined;
		const seen = this.#observe();
		const plan = planJob(seen);
		this.#backoff = plan.backoff;
		this.ledger.expect(seen, plan);
		const metrics = this.#metrics;
		const recorder = { event: () => undefined };
		const writer = new JobWriter(seen.job, {
			client: this.#client,
			recorder,
			metrics,
			startLimit: new ConcurrencyLimit(1),
		});
		this.#faults = faults;
		this.#writes = 0;
		try {
			await applyJobPlan({ job: seen.job, plan, writer, metrics, cautious: this.#failures > 0 });
			this.#failures = 0;
			if (plan.lookAgainMs !== undefined) this.reconcileAt = this.now + plan.lookAgainMs;
		} catch (error) {
			if (!(error instanceof ApiError)) throw error;
			this.#failures += 1;
			this.dirty = true;
		}
		this.#deliverUpTo(Math.max(Number(writer.podVersion), Number(writer.jobVersion)));
		if (faults.crashAt !== undefined && this.#writes >= faults.crashAt) this.restart();
		this.#faults = {};
	}

	/** Starts a new controller process, which knows only the stored objects. */
	restart(): void {
		this.#backoff = undefined;
		this.#failures = 0;
		this.dirty = true;
		this.deliver();
	}

	/** Delivers the next `count` changes by others to the controller, by default all of them. */
	deliver(count = this.#podLog.length): void {
		for (const { name, pod } of this.#podLog.splice(0, count)) this.#cache(name, pod);
		if (this.#podLog.length === 0 && this.#cachedJob !== this.job) {
			this.#cachedJob = this.job;
			this.dirty = true;
		}
	}

	/**
	 * Another client updates a Pod, or removes it (undefined). A terminating Pod is removed with its last
	 * finalizer.
	 */
	change(name: string, change: (pod: Pod) => Pod | undefined): void {
		const pod = this.pods.get(name);
		if (pod) this.#store(name, change(pod));
	}

	/** A user updates the Job's spec. */
	changeSpec(change: Partial<JobSpec>): void {
		const { metadata, spec } = this.job;
		this.#storeJob({
			...this.job,
			metadata: { ...metadata, generation: successor(metadata.generation ?? 1) },
			spec: { ...spec, ...change },
		});
	}

	/** A user deletes the Job in the foreground: it stays until its Pods are removed. */
	deleteJob(): void {
		const metadata = { ...this.job.metadata, deletionTimestamp: formatTime(this.now) };
		this.#storeJob({ ...this.job, metadata });
	}

	/** A user deletes a Pod. If it is bound and has not ended, it stays until its containers have ended. */
	deletePod(name: string): void {
		this.change(name, (pod) => {
			if (pod.metadata.deletionTimestamp) return pod;
			const grace = pod.spec.nodeName && !hasEnded(pod) ? 30 : 0;
			const deletion = {
				deletionTimestamp: formatTime(this.now + grace * 1000),
				deletionGracePeriodSeconds: grace,
			};
			return { ...pod, metadata: { ...pod.metadata, ...deletion } };
		});
	}

	/** A user creates a copy of this Pod, of the same index and without an owner. */
	duplicate(name: string): void {
		const pod = this.pods.get(name);
		if (!pod) return;
		const {
			ownerReferences: _owners,
			finalizers: _held,
			deletionTimestamp: _end,
			...metadata
		} = pod.metadata;
		this.#serial += 1;
		const copy = `${name}-copy${this.#serial}`;
		this.#store(copy, { ...pod, metadata: { ...metadata, name: copy, uid: `uid-${this.#serial}` } });
	}

	get finished(): boolean {
		return isFinished(this.job);
	}

	#observe(): JobSnapshot {
		const job = this.#cachedJob;
		const { uid = '' } = job.metadata;
		const all = [...this.#cachedPods.values()];
		const owned = all.filter((pod) => pod.metadata.ownerReferences?.some((owner) => owner.uid === uid));
		return {
			job,
			pods: all.filter((pod) => POD_INDEXES[BY_JOB]?.(pod).includes(uid)),
			orphans: all.filter((pod) => POD_INDEXES[ORPHANS]?.(pod).includes(`ns/${uid}`)),
			now: this.now,
			backoff: this.#backoff ?? recallBackoff(job, owned),
		};
	}

	#store(name: string, changed: Pod | undefined): void {
		const isRemoved = changed?.metadata.deletionTimestamp && !isHeld(changed);
		this.#revision += 1;
		const resourceVersion = `${this.#revision}`;
		const pod =
			changed && !isRemoved ? { ...changed, metadata: { ...changed.metadata, resourceVersion } } : undefined;
		if (pod) this.pods.set(name, pod);
		else this.pods.delete(name);
		this.#podLog.push({ revision: this.#revision, name, pod });
	}

	#storeJob(job: Job): void {
		this.#revision += 1;
		this.job = { ...job, metadata: { ...job.metadata, resourceVersion: `${this.#revision}` } };
	}

	#cache(name: string, pod: Pod | undefined): void {
		const attention = attentionTo(pod, this.#cachedPods.get(name));
		if (attention === 'now') this.dirty = true;
		if (attention === 'soon') this.reconcileAt = Math.min(this.reconcileAt ?? Infinity, this.now + BATCH_MS);
		if (pod) this.#cachedPods.set(name, pod);
		else this.#cachedPods.delete(name);
	}

	#deliverUpTo(revision: number): void {
		this.deliver(this.#podLog.filter((entry) => entry.revision <= revision).length);
		if (Number(this.#cachedJob.metadata.resourceVersion) < revision) this.#cachedJob = this.job;
	}

	async request({ method, path, body }: ApiRequest): Promise<ApiResponse> {
		if (method !== 'GET') this.#maybeFail();
		const [, kind, name = '', subresource] = /\/(jobs|pods)(?:\/([^/]+))?(?:\/(status))?$/.exec(path) ?? [];
		const object =
			kind === 'jobs' ? this.#requestJob(method, body, subresource) : this.#requestPod(method, name, body);
		return { code: 200, object, warnings: [] };
	}

	watch(): Promise<ApiWatch> {
		return Promise.reject(internalError('not supported by this fake'));
	}

	stream(): Promise<never> {
		return Promise.reject(internalError('not supported by this fake'));
	}

	duplex(): Promise<never> {
		return this.stream();
	}

	#maybeFail(): void {
		const { crashAt = Number.POSITIVE_INFINITY, failAt } = this.#faults;
		const write = this.#writes++;
		if (write >= crashAt || write === failAt) throw internalError('injected');
	}

	#requestJob(method: string, body: unknown, subresource: string | undefined): Job {
		if (method === 'GET') return this.job;
		assert.deepEqual(
			[method, subresource],
			['PUT', 'status'],
			'the controller writes only the status of its Job',
		);
		// The cast is safe: JobWriter sends a Job.
		const sent = body as Job;
		if (sent.metadata.resourceVersion !== this.job.metadata.resourceVersion) {
			throw conflict({ group: 'batch', resource: 'jobs', name: 'pi' }, 'changed');
		}
		const stored = { ...this.job, status: sent.status };
		assert.deepEqual(jobs.status?.validateUpdate(stored, this.job), [], 'the status is valid');
		this.ledger.status(this.job, stored);
		this.#storeJob(stored);
		return this.job;
	}

	#requestPod(method: string, name: string, body: unknown): unknown {
		if (method === 'POST') return this.#createPod(body as Pod);
		const pod = this.pods.get(name);
		if (!pod) throw notFound({ group: '', resource: 'pods', name });
		if (method === 'DELETE') {
			this.ledger.deleted(pod);
			this.deletePod(name);
			return this.pods.get(name) ?? { kind: 'Status', metadata: {} };
		}
		assert.equal(method, 'PATCH');
		this.ledger.released(pod, this.job);
		this.#store(name, patched(pod, body as PodPatch));
		return this.pods.get(name) ?? pod;
	}

	#createPod(sent: Pod): Pod {
		this.#serial += 1;
		const name = `${sent.metadata.generateName}${this.#serial}`;
		this.ledger.created(sent, this.pods.values());
		const creationTimestamp = formatTime(this.now);
		const metadata = { ...sent.metadata, name, uid: `uid-${this.#serial}`, creationTimestamp };
		this.#store(name, { ...sent, metadata, status: { phase: 'Pending' } });
		const stored = this.pods.get(name);
		assert.ok(stored);
		return stored;
	}
}

interface PodPatch {
	readonly metadata: Pod['metadata'] & { readonly '$deleteFromPrimitiveList/finalizers'?: readonly string[] };
}

function patched(pod: Pod, { metadata: patch }: PodPatch): Pod {
	const { '$deleteFromPrimitiveList/finalizers': drop = [], finalizers = [], ownerReferences } = patch;
	const kept = (pod.metadata.finalizers ?? []).filter((finalizer) => !drop.includes(finalizer));
	// A Pod has at most one owner here, so the owners without a `$patch` directive are the whole new list.
	const owners = ownerReferences?.filter((owner) => !('$patch' in owner)) ?? pod.metadata.ownerReferences;
	const metadata = {
		...pod.metadata,
		finalizers: [...kept, ...finalizers],
		ownerReferences: owners ?? [],
	};
	return { ...pod, metadata };
}

/** Whether a deleted Pod stays: because of a finalizer, or of containers that have not ended. */
function isHeld(pod: Pod): boolean {
	return isTracked(pod) || (!hasEnded(pod) && (pod.metadata.deletionGracePeriodSeconds ?? 0) > 0);
}
