import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { jobs } from '../../src/api/batch/job/definition.ts';
import type { Job } from '../../src/api/batch/job/schema.ts';
import { namespaces } from '../../src/api/core/namespace/definition.ts';
import type { Namespace } from '../../src/api/core/namespace/schema.ts';
import { pods } from '../../src/api/core/pod/definition.ts';
import type { Pod } from '../../src/api/core/pod/schema.ts';
import { findCondition } from '../../src/api/meta/conditions.ts';
import type { Clock } from '../../src/base/clock.ts';
import { VirtualClock } from '../../src/base/testing/virtual-clock.ts';
import { type ControlPlane, passTime, startControlPlane } from '../support/control-plane.ts';

/**
 * The deletion of a namespace by the whole control plane. Conditions and their messages are upstream's:
 * kubectl and users read from them why a namespace does not disappear.
 */

const TEMPLATE = { restartPolicy: 'Never', containers: [{ name: 'main', image: 'busybox' }] };

async function planeWithNamespace(t: TestContext, clock?: Clock): Promise<ControlPlane> {
	const plane = await startControlPlane(t, clock);
	await plane.client.resource(namespaces).create({
		...{ apiVersion: 'v1', kind: 'Namespace', spec: {}, status: {} },
		metadata: { name: 'team' },
	});
	return plane;
}

function suspendedJob(name: string, finalizers: readonly string[] = []): Job {
	const spec = { suspend: true, template: { spec: TEMPLATE } };
	const metadata = { name, namespace: 'team', finalizers };
	return { apiVersion: 'batch/v1', kind: 'Job', metadata, spec } as unknown as Job;
}

function podHeldBy(finalizer: string): Pod {
	const metadata = { name: 'held', namespace: 'team', finalizers: [finalizer] };
	return { apiVersion: 'v1', kind: 'Pod', metadata, spec: TEMPLATE } as unknown as Pod;
}

function condition(namespace: Namespace | undefined, type: string): string {
	const found = findCondition(namespace?.status.conditions, type);
	return found ? `${found.status}: ${found.message}` : '';
}

test('the conditions of a terminating namespace name the remaining resource and finalizer', async (t) => {
	const plane = await planeWithNamespace(t);
	const target = plane.client.resource(jobs, 'team');
	await target.create(suspendedJob('stays', ['acme.io/keep']));
	await target.create(suspendedJob('goes'));
	await plane.client.resource(namespaces).delete('team');
	const held = await plane.until(
		namespaces,
		'team',
		(one) => condition(one, 'NamespaceFinalizersRemaining') !== '',
	);
	assert.equal(held?.status.phase, 'Terminating');
	assert.equal(
		condition(held, 'NamespaceContentRemaining'),
		'True: Some resources are remaining: jobs.batch has 1 resource instances',
	);
	assert.equal(
		condition(held, 'NamespaceFinalizersRemaining'),
		'True: Some finalizers are remaining: acme.io/keep in 1 resource instances',
	);
	assert.equal(
		condition(held, 'NamespaceDeletionContentFailure'),
		'False: All content successfully deleted, may be waiting on finalization',
	);
	await target.patch('stays', 'merge', { metadata: { finalizers: null } });
	await plane.until(namespaces, 'team', (one) => one === undefined);
});

test('a terminating namespace keeps its other objects until all Pods are removed', async (t) => {
	const plane = await planeWithNamespace(t);
	// As upstream with OrderedNamespaceDeletion: objects that protect running Pods must not be deleted before
	// them.
	await plane.client.resource(jobs, 'team').create(suspendedJob('other'));
	await plane.client.resource(pods, 'team').create(podHeldBy('acme.io/keep'));
	await plane.client.resource(namespaces).delete('team');
	const held = await plane.until(
		namespaces,
		'team',
		(one) => condition(one, 'NamespaceContentRemaining') !== '',
	);
	assert.equal(
		condition(held, 'NamespaceContentRemaining'),
		'True: Some resources are remaining: pods. has 1 resource instances',
	);
	const { metadata } = await plane.client.resource(jobs, 'team').get('other');
	assert.equal(metadata.deletionTimestamp, undefined);
	await plane.client.resource(pods, 'team').patch('held', 'merge', { metadata: { finalizers: null } });
	await plane.until(namespaces, 'team', (one) => one === undefined);
});

test('a Pod that remains beyond its grace period is a deletion failure, before that it is not', async (t) => {
	const clock = new VirtualClock();
	const plane = await planeWithNamespace(t, clock);
	await plane.addNode('silent', 4);
	const spec = { ...TEMPLATE, nodeName: 'silent', terminationGracePeriodSeconds: 20 };
	const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'stuck', namespace: 'team' }, spec };
	await plane.client.resource(pods, 'team').create(pod as unknown as Pod);
	const failure = async (): Promise<string> =>
		condition(await plane.client.resource(namespaces).get('team'), 'NamespaceDeletionContentFailure');
	await plane.client.resource(namespaces).delete('team');
	await passTime(clock, 22_000);
	assert.equal(await failure(), 'False: All content successfully deleted, may be waiting on finalization');
	await passTime(clock, 10_000);
	assert.equal(
		await failure(),
		'True: Failed to delete all resource types, 1 remaining: unexpected items still remain in namespace: team for gvr: /v1, Resource=pods',
	);
	await plane.client.resource(pods, 'team').delete('stuck', { gracePeriodSeconds: 0 });
	await passTime(clock, 1000);
	await plane.until(namespaces, 'team', (one) => one === undefined);
});
