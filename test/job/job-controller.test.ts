import assert from 'node:assert/strict';
import directTest from 'node:test';
import type { ApiRequest } from '../../src/api/contract/transport.ts';
import { pods } from '../../src/api/core/pod/definition.ts';
import type { Pod } from '../../src/api/core/pod/schema.ts';
import { forbidden, internalError } from '../../src/api/errors/api-error.ts';
import { test } from '../support/transports.ts';
import { Cluster } from './cluster.ts';
import { conditionsOf, TRACKING } from './job-objects.ts';

/** The Job controller against the real API server. The test acts as the node and as the users. */

const LIMIT = { timeout: 10_000 };

/** Waits until there is exactly one Pod. */
function only(cluster: Cluster): Promise<Pod> {
	return cluster.until(() => cluster.pods().length === 1 && cluster.pods()[0]);
}

function deletePod(cluster: Cluster, pod: Pod): Promise<unknown> {
	return cluster.client.resource(pods, 'default').delete(pod.metadata.name ?? '');
}

test('a watch of a one-shot Job delivers these states from POST to Complete', LIMIT, async (t) => {
	const cluster = await Cluster.start(t);
	await cluster.createJob();
	const pod = await only(cluster);
	await cluster.until(() => cluster.job().status.active === 1);
	await cluster.report(pod, { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] });
	await cluster.quiet();
	// The controller batches changes of readiness for a second, because only a count depends on them.
	cluster.clock.advance(1000);
	await cluster.until(() => cluster.job().status.ready === 1);
	await cluster.finish(pod);
	await cluster.until(() => cluster.job().status.completionTime);
	await cluster.quiet();
	const uid = pod.metadata.uid;
	const states = cluster.history.map(({ status }) => {
		const { conditions, startTime, completionTime, ...counts } = status;
		assert.ok(startTime || Object.keys(status).length === 0);
		return [...conditionsOf({ conditions: conditions ?? [] }), JSON.stringify(counts)].join(' ');
	});
	const met = 'SuccessCriteriaMet CompletionsReached';
	assert.deepEqual(states, [
		'{}',
		'{"active":1,"terminating":0,"uncountedTerminatedPods":{},"ready":0}',
		'{"active":1,"terminating":0,"uncountedTerminatedPods":{},"ready":1}',
		`${met} {"terminating":0,"uncountedTerminatedPods":{"succeeded":["${uid}"]},"ready":0}`,
		`${met} Complete CompletionsReached {"succeeded":1,"terminating":0,"uncountedTerminatedPods":{},"ready":0}`,
	]);
	assert.deepEqual(cluster.events, [
		`Normal SuccessfulCreate Created pod: ${pod.metadata.name}`,
		'Normal Completed Job completed',
	]);
	assert.equal(cluster.pods()[0]?.metadata.finalizers, undefined);
	assert.deepEqual(cluster.errors, []);
});

test('the controller sends the Pod and the first status concurrently', LIMIT, async (t) => {
	const cluster = await Cluster.start(t);
	const sent: string[] = [];
	const gate = Promise.withResolvers<void>();
	cluster.intercept = async ({ method, path }) => {
		if (method === 'GET') return;
		sent.push(`${method} ${path.split('/').slice(-2).join('/')}`);
		await gate.promise;
	};
	await cluster.createJob();
	await cluster.quiet();
	assert.deepEqual(sent, ['POST default/pods', 'PUT pi/status']);
	gate.resolve();
	await only(cluster);
});

test(
	'a failed Pod is replaced after ten seconds, with and without a restart of the controller',
	LIMIT,
	async (t) => {
		for (const restart of [false, true]) {
			const cluster = await Cluster.start(t);
			await cluster.createJob();
			await cluster.finish(await only(cluster), 1);
			await cluster.until(() => cluster.job().status.failed === 1);
			if (restart) {
				await cluster.stopController();
				cluster.startController();
			}
			await cluster.quiet();
			cluster.clock.advance(9000);
			await cluster.quiet();
			assert.equal(cluster.pods().length, 1, `restart: ${restart}`);
			cluster.clock.advance(1000);
			await cluster.until(() => cluster.pods().length === 2);
		}
	},
);

test(
	'more failures than backoffLimit give FailureTarget, then Failed, and a Warning event',
	LIMIT,
	async (t) => {
		const cluster = await Cluster.start(t);
		await cluster.createJob({ backoffLimit: 0, parallelism: 2, completions: 2 });
		const [first] = await cluster.until(() => cluster.pods().length === 2 && cluster.pods());
		assert.ok(first);
		await cluster.finish(first, 1);
		await cluster.until(() => conditionsOf(cluster.job().status).length === 2);
		assert.deepEqual(conditionsOf(cluster.job().status), [
			'FailureTarget BackoffLimitExceeded',
			'Failed BackoffLimitExceeded',
		]);
		assert.equal(cluster.job().status.failed, 2);
		assert.deepEqual(
			cluster.pods().map(({ metadata }) => metadata.name),
			[first.metadata.name],
		);
		await cluster.until(
			() =>
				cluster.events.at(-1) === 'Warning BackoffLimitExceeded Job has reached the specified backoff limit',
		);
	},
);

test('a Pod that a user deletes counts as failed and is replaced', LIMIT, async (t) => {
	const cluster = await Cluster.start(t);
	await cluster.createJob();
	const pod = await only(cluster);
	await deletePod(cluster, pod);
	await cluster.until(() => cluster.job().status.failed === 1 && cluster.pods().length === 0);
	await cluster.quiet();
	cluster.clock.advance(10_000);
	await only(cluster);
});

test('suspension removes Pods without counting them, resumption creates new ones', LIMIT, async (t) => {
	const cluster = await Cluster.start(t);
	await cluster.createJob({ parallelism: 2, completions: 4 });
	await cluster.until(() => cluster.job().status.active === 2);
	await cluster.patchJob({ spec: { suspend: true } });
	await cluster.until(() => conditionsOf(cluster.job().status).includes('Suspended JobSuspended'));
	await cluster.until(() => cluster.pods().length === 0 && cluster.job().status.terminating === 0);
	assert.equal(cluster.job().status.failed, undefined);
	assert.equal(cluster.job().status.startTime, undefined);
	await cluster.patchJob({ spec: { suspend: false } });
	await cluster.until(() => cluster.pods().length === 2 && cluster.job().status.startTime);
	assert.deepEqual(conditionsOf(cluster.job().status), ['!Suspended JobResumed']);
	assert.ok(cluster.events.includes('Normal Suspended Job suspended'));
	await cluster.until(() => cluster.events.includes('Normal Resumed Job resumed'));
});

test('an Indexed Job of many Pods runs each index once', LIMIT, async (t) => {
	const cluster = await Cluster.start(t);
	await cluster.createJob({ completionMode: 'Indexed', completions: 40, parallelism: 7 });
	for (let done = 0; done < 40; done++) {
		const pod = await cluster.until(() => cluster.pods('Pending')[0]);
		assert.ok(cluster.pods('Pending').length <= 7);
		await cluster.finish(pod);
	}
	await cluster.until(() => cluster.job().status.completionTime);
	assert.equal(cluster.job().status.completedIndexes, '0-39');
	const hostnames = new Set(cluster.pods().map(({ spec }) => spec.hostname));
	assert.deepEqual([cluster.pods().length, hostnames.size], [40, 40]);
	assert.deepEqual(cluster.errors, []);
});

test('activeDeadlineSeconds fails a Job at its deadline', LIMIT, async (t) => {
	const cluster = await Cluster.start(t);
	await cluster.createJob({ activeDeadlineSeconds: 60 });
	await only(cluster);
	await cluster.until(() => cluster.job().status.startTime);
	await cluster.quiet();
	cluster.clock.advance(59_000);
	await cluster.quiet();
	assert.deepEqual(conditionsOf(cluster.job().status), []);
	cluster.clock.advance(1000);
	await cluster.until(() => conditionsOf(cluster.job().status).includes('Failed DeadlineExceeded'));
	assert.equal(cluster.pods().length, 0);
});

test('the controller removes the tracking finalizer from the Pods of a deleted Job', LIMIT, async (t) => {
	const cluster = await Cluster.start(t);
	await cluster.createJob({ parallelism: 3, completions: 3 });
	await cluster.until(() => cluster.pods().length === 3);
	await cluster.client.transport.request({
		method: 'DELETE',
		path: '/apis/batch/v1/namespaces/default/jobs/pi',
		body: { kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy: 'Background' },
	});
	await cluster.until(() => cluster.pods().every(({ metadata }) => !metadata.finalizers?.includes(TRACKING)));
	assert.equal(cluster.pods().length, 3);
});

test(
	'the controller adopts a Pod that matches the selector, and releases it when it no longer does',
	LIMIT,
	async (t) => {
		const cluster = await Cluster.start(t);
		const job = await cluster.createJob({ parallelism: 1, completions: 2 });
		const own = await only(cluster);
		const { name: _, generateName: __, ownerReferences: ___, finalizers: ____, ...rest } = own.metadata;
		const metadata = { namespace: 'default', name: 'bare', labels: rest.labels ?? {} };
		await cluster.client
			.resource(pods, 'default')
			.create({ apiVersion: 'v1', kind: 'Pod', metadata, spec: own.spec, status: {} });
		const bare = (): Pod | undefined => cluster.pods().find((pod) => pod.metadata.name === 'bare');
		await cluster.until(() => bare()?.metadata.ownerReferences?.[0]?.uid === job.metadata.uid);
		// There is one Pod too many. Upstream's deletion order decides which of the two is removed.
		await cluster.until(() => cluster.pods().length === 1);
		const remaining = await only(cluster);
		const patch = { metadata: { labels: { 'batch.kubernetes.io/controller-uid': null } } };
		await cluster.client.resource(pods, 'default').patch(remaining.metadata.name ?? '', 'merge', patch);
		await cluster.until(() =>
			cluster
				.pods()
				.some(
					({ metadata: { name, ownerReferences } }) =>
						name === remaining.metadata.name && !ownerReferences?.length,
				),
		);
		await cluster.until(() => cluster.pods().length === 2);
	},
);

test(
	'a Pod that is adopted again while the controller releases it as an orphan still counts',
	LIMIT,
	async (t) => {
		const cluster = await Cluster.start(t);
		await cluster.createJob();
		const pod = await cluster.until(() => cluster.pods()[0]);
		let isReleasing = false;
		cluster.intercept = async ({ method, body }) => {
			const text = JSON.stringify(body ?? {});
			if (isReleasing || method !== 'PATCH' || !text.includes('$deleteFromPrimitiveList/finalizers')) return;
			isReleasing = true;
			await cluster.until(() => cluster.pods()[0]?.metadata.ownerReferences);
			await cluster.finish(pod);
		};
		const withoutOwner = { metadata: { ownerReferences: null } };
		await cluster.client.resource(pods, 'default').patch(pod.metadata.name ?? '', 'merge', withoutOwner);
		await cluster.until(() => isReleasing);
		await cluster.until(() => conditionsOf(cluster.job().status).includes('Complete CompletionsReached'));
		assert.equal(cluster.job().status.succeeded, 1);
		assert.equal(cluster.pods().length, 1);
	},
);

test(
	'the controller retries refused creations after a second, one at a time, and the status stays correct',
	LIMIT,
	async (t) => {
		const cluster = await Cluster.start(t);
		let refused = 0;
		cluster.intercept = ({ method, path }) => {
			if (method !== 'POST' || !path.endsWith('/pods')) return;
			refused += 1;
			throw forbidden({ group: '', resource: 'pods', name: '' }, 'quota');
		};
		await cluster.createJob({ parallelism: 8, completions: 8 });
		await cluster.until(() => cluster.errors.length === 1);
		await cluster.quiet();
		assert.equal(refused, 8);
		assert.equal(cluster.job().status.active, undefined);
		assert.ok(cluster.job().status.startTime);
		cluster.clock.advance(1000);
		await cluster.until(() => cluster.errors.length === 2);
		await cluster.quiet();
		assert.equal(refused, 9);
		assert.equal(cluster.events.at(-1), 'Warning FailedCreate Error creating: pods is forbidden: quota');
		cluster.intercept = () => undefined;
		cluster.clock.advance(2000);
		await cluster.until(() => cluster.job().status.active === 8 && cluster.pods().length === 8);
	},
);

test(
	'the controller does not create a Pod again if the answer is lost and the watch event is late',
	LIMIT,
	async (t) => {
		const cluster = await Cluster.start(t);
		let lost = 0;
		cluster.interceptAnswer = ({ method, path }) => {
			if (method === 'POST' && path.endsWith('/pods') && lost++ === 0) throw new Error('socket hang up');
		};
		const late: (() => void)[] = [];
		cluster.deliver = (send, { path }) => void (path.endsWith('/pods') ? late.push(send) : send());
		await cluster.createJob({ parallelism: 1, completions: 1 });
		await cluster.until(() => cluster.pods().length === 1);
		for (let seconds = 0; seconds < 5; seconds++) {
			await cluster.quiet();
			cluster.clock.advance(1000);
		}
		assert.equal(cluster.pods().length, 1);
		cluster.deliver = (send) => send();
		for (const send of late) send();
		for (const pod of cluster.pods()) await cluster.finish(pod);
		// The reconcile that waited for the Pod took seconds. Its key is delayed by half of that, by a second at
		// most.
		await cluster.quiet();
		cluster.clock.advance(1000);
		await cluster.until(() => cluster.job().status.completionTime);
		assert.equal(cluster.pods().length, 1);
	},
);

test('a controller that is stopped before it has received its Pod creates no other', LIMIT, async (t) => {
	const cluster = await Cluster.start(t);
	cluster.interceptAnswer = ({ method, path }) => {
		if (method === 'POST' && path.endsWith('/pods')) throw new Error('socket hang up');
	};
	cluster.deliver = (send, { path }) => {
		if (!path.endsWith('/pods')) send();
	};
	await cluster.createJob({ parallelism: 1, completions: 1 });
	await cluster.until(() => cluster.errors.length > 0);
	await cluster.quiet();
	cluster.clock.advance(1000);
	await cluster.quiet();
	await cluster.stopController();
	assert.equal(cluster.pods().length, 1);
});

test('a removed Pod is not counted again if the controller learns late of its removal', LIMIT, async (t) => {
	const cluster = await Cluster.start(t);
	await cluster.createJob({ parallelism: 1, completions: 1 });
	const pod = await only(cluster);
	const late: (() => void)[] = [];
	let lost = 0;
	const isRelease = ({ method, path }: ApiRequest): boolean =>
		method === 'PATCH' && path.endsWith(`/pods/${pod.metadata.name}`);
	cluster.intercept = (request) => {
		if (!isRelease(request)) return;
		cluster.deliver = (send, { path }) => void (path.endsWith('/pods') ? late.push(send) : send());
	};
	cluster.interceptAnswer = (request) => {
		if (isRelease(request) && lost++ === 0) throw new Error('socket hang up');
	};
	await deletePod(cluster, pod);
	for (let seconds = 0; seconds < 15; seconds++) {
		await cluster.quiet();
		cluster.clock.advance(1000);
	}
	assert.equal(lost, 1);
	assert.equal(cluster.job().status.failed, 1);
	cluster.deliver = (send) => send();
	for (const send of late) send();
	await cluster.quiet();
	assert.equal(cluster.job().status.failed, 1);
	assert.ok(cluster.history.every(({ status }) => (status.failed ?? 0) <= 1));
});

directTest('an update of the Job by another client during a reconcile causes no delay', LIMIT, async (t) => {
	const cluster = await Cluster.start(t);
	let isChanged = false;
	cluster.intercept = async ({ method, path }) => {
		if (method !== 'PUT' || !path.endsWith('/status') || isChanged) return;
		isChanged = true;
		await cluster.patchJob({ metadata: { labels: { touched: 'yes' } } });
	};
	await cluster.createJob({ parallelism: 2, completions: 2 });
	await cluster.until(() => cluster.job().status.active === 2);
	assert.equal(cluster.job().metadata.labels?.touched, 'yes');
	assert.equal(cluster.pods().length, 2);
	assert.deepEqual(cluster.errors, []);
});

test(
	'a controller that crashes after any write leaves a state that its successor can finish',
	LIMIT,
	async (t) => {
		for (let survived = 0; survived < 7; survived++) {
			const cluster = await Cluster.start(t);
			let writes = 0;
			cluster.intercept = ({ method }) => {
				if (method !== 'GET' && writes++ >= survived) throw internalError('the controller is dead');
			};
			await cluster.createJob({ completionMode: 'Indexed', completions: 1, parallelism: 1 });
			await cluster.quiet();
			for (const pod of cluster.pods()) await cluster.finish(pod);
			await cluster.quiet();
			await cluster.stopController();
			cluster.intercept = () => undefined;
			cluster.startController();
			if (cluster.pods().length === 0) await cluster.finish(await only(cluster));
			await cluster.until(() => cluster.job().status.completionTime);
			assert.deepEqual(
				[cluster.job().status.succeeded, cluster.pods().length],
				[1, 1],
				`after ${survived} writes`,
			);
		}
	},
);
