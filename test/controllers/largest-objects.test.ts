import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { cronjobs } from '../../src/api/batch/cronjob/definition.ts';
import type { CronJob } from '../../src/api/batch/cronjob/schema.ts';
import { jobs } from '../../src/api/batch/job/definition.ts';
import type { Job } from '../../src/api/batch/job/schema.ts';
import { events } from '../../src/api/core/event/definition.ts';
import { namespaces } from '../../src/api/core/namespace/definition.ts';
import type { Namespace } from '../../src/api/core/namespace/schema.ts';
import { nodes } from '../../src/api/core/node/definition.ts';
import type { Node } from '../../src/api/core/node/schema.ts';
import { pods } from '../../src/api/core/pod/definition.ts';
import { isApiError } from '../../src/api/errors/api-error.ts';
import { controllerReferenceTo } from '../../src/api/meta/controller-reference.ts';
import type { KubeObject } from '../../src/api/meta/object-meta.ts';
import type { Clock } from '../../src/base/clock.ts';
import { VirtualClock } from '../../src/base/testing/virtual-clock.ts';
import type { ResourceClient } from '../../src/client/client.ts';
import { type ControlPlane, passTime, startControlPlane } from '../support/control-plane.ts';
import { overHttp } from '../support/reach.ts';

/** Controllers must be able to write back the largest objects that the server accepts from users. */

/** A control plane that reaches the server over HTTP, so that the limits of request bodies apply to it too. */
function startPlane(t: TestContext, clock?: Clock): Promise<ControlPlane> {
	return startControlPlane(t, clock, { reach: overHttp(t) });
}

/** Creates the object of the largest size in `sizes` that the server accepts; returns the size. */
async function createLargest<T extends KubeObject>(
	target: ResourceClient<T>,
	sizes: { readonly most: number; readonly least: number },
	objectOf: (size: number) => T,
): Promise<number> {
	for (let size = sizes.most; size >= sizes.least; size--) {
		try {
			await target.create(objectOf(size));
			assert.notEqual(size, sizes.most, 'the largest size is beyond the limit');
			return size;
		} catch (error) {
			if (!isApiError(error, 'RequestEntityTooLarge')) throw error;
		}
	}
	return assert.fail('the server refuses all sizes');
}

function labels(count: number): Readonly<Record<string, string>> {
	return Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, 'v']));
}

test('a Namespace of the largest size gets its conditions and is removed after its deletion', async (t) => {
	const plane = await startPlane(t);
	const target = plane.client.resource(namespaces);
	const named = (count: number): Namespace => ({
		...{ apiVersion: 'v1', kind: 'Namespace', spec: {}, status: {} },
		metadata: { name: 'team', labels: labels(count) },
	});
	await createLargest(target, { most: 20_000, least: 19_900 }, named);
	const held = { name: 'held', namespace: 'team', finalizers: ['acme.io/keep'] };
	const containers = [{ name: 'main', image: 'a' }];
	const pod = { apiVersion: 'v1', kind: 'Pod', metadata: held, spec: { containers }, status: {} };
	await plane.client.resource(pods, 'team').create(pods.defaults(pod));
	await target.delete('team');
	await plane.until(namespaces, 'team', (one) => (one?.status.conditions?.length ?? 0) === 5);
	await plane.client.resource(pods, 'team').patch('held', 'merge', { metadata: { finalizers: null } });
	await plane.until(namespaces, 'team', (one) => one === undefined);
});

test('a CronJob of the largest size gets its Jobs and Pods', async (t) => {
	const clock = new VirtualClock(Date.UTC(2026, 0, 31, 8, 0, 10));
	const plane = await startControlPlane(t, clock);
	const target = plane.client.resource(cronjobs, 'default');
	const withVariables = (count: number): CronJob => {
		const env = Array.from({ length: count }, (_, index) => ({ name: `E${index}`, value: 'v' }));
		return cronJobOf([{ name: 'main', image: 'a', env }]);
	};
	const count = await createLargest(target, { most: 6_664, least: 6_640 }, withVariables);
	await passTime(clock, 60_000);
	const { items: created } = await plane.client.resource(jobs, 'default').list();
	assert.equal(created[0]?.status.active, 1);
	const { items: running } = await plane.client.resource(pods, 'default').list();
	assert.equal(running[0]?.spec.containers[0]?.env?.length, count + 1, 'with the completion index');
	assert.equal((await target.get('tick')).status.active?.length, 1);
});

test('a CronJob with the largest number of containers gets its Pods, with the completion index in each container', async (t) => {
	const clock = new VirtualClock(Date.UTC(2026, 0, 31, 8, 0, 10));
	const plane = await startControlPlane(t, clock);
	const target = plane.client.resource(cronjobs, 'default');
	const withContainers = (count: number): CronJob =>
		cronJobOf(Array.from({ length: count }, (_, index) => ({ name: `c${index}`, image: 'a' })));
	const count = await createLargest(target, { most: 2_858, least: 2_830 }, withContainers);
	await passTime(clock, 60_000);
	const { items: running } = await plane.client.resource(pods, 'default').list();
	assert.equal(running[0]?.spec.containers.length, count);
});

test('a Job whose Pods are too large gets an Event', async (t) => {
	const clock = new VirtualClock();
	const plane = await startControlPlane(t, clock);
	const owner = await plane.client.resource(cronjobs, 'default').create(suspended(cronJobOf([])));
	const containers = Array.from({ length: 5_000 }, (_, index) => ({ name: `c${index}`, image: 'a' }));
	const { spec } = cronJobOf(containers).spec.jobTemplate;
	const metadata = { name: 'large', ownerReferences: [controllerReferenceTo(owner)] };
	const job: Job = { apiVersion: 'batch/v1', kind: 'Job', metadata, spec, status: {} };
	await plane.client.resource(jobs, 'default').create(job);
	await passTime(clock, 5_000);
	const { items } = await plane.client.resource(events, 'default').list();
	const [event, ...others] = items.filter(({ source }) => source?.component === 'job-controller');
	assert.deepEqual([event?.type, event?.reason, others], ['Warning', 'FailedCreate', []]);
	assert.equal(event?.message, 'Error creating: Request entity too large: more than 50000 values');
	assert.equal(event?.count, 3, 'after 1 and 2 more seconds');
});

test('a Node of the largest size is tainted when its heartbeats stop', async (t) => {
	const clock = new VirtualClock();
	const plane = await startControlPlane(t, clock);
	const named = (count: number): Node => ({
		...{ apiVersion: 'v1', kind: 'Node', spec: {}, status: {} },
		metadata: { name: 'silent', labels: labels(count) },
	});
	await createLargest(plane.client.resource(nodes), { most: 20_000, least: 19_900 }, named);
	await passTime(clock, 120_000);
	const { spec } = await plane.client.resource(nodes).get('silent');
	assert.ok(spec.taints?.some(({ key }) => key === 'node.kubernetes.io/unreachable'));
});

/** A CronJob whose Jobs have one Pod with a completion index. */
function cronJobOf(
	containers: CronJob['spec']['jobTemplate']['spec']['template']['spec']['containers'],
): CronJob {
	const template = { spec: { restartPolicy: 'Never' as const, containers } };
	return {
		...{ apiVersion: 'batch/v1', kind: 'CronJob', metadata: { name: 'tick' }, status: {} },
		spec: {
			schedule: '* * * * *',
			jobTemplate: { spec: { completionMode: 'Indexed', completions: 1, parallelism: 1, template } },
		},
	};
}

function suspended(cronJob: CronJob): CronJob {
	const containers = [{ name: 'main', image: 'a' }];
	const template = { spec: { restartPolicy: 'Never' as const, containers } };
	return { ...cronJob, spec: { ...cronJob.spec, suspend: true, jobTemplate: { spec: { template } } } };
}
