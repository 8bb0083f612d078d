import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { endpoints } from '../../src/api/core/endpoints/definition.ts';
import type { Endpoints } from '../../src/api/core/endpoints/schema.ts';
import { pods } from '../../src/api/core/pod/definition.ts';
import type { Pod } from '../../src/api/core/pod/schema.ts';
import { services } from '../../src/api/core/service/definition.ts';
import type { Service } from '../../src/api/core/service/schema.ts';
import { endpointSlices } from '../../src/api/discovery/endpointslice/definition.ts';
import type { EndpointSlice } from '../../src/api/discovery/endpointslice/schema.ts';
import { type ControlPlane, type ControlPlaneSetup, startControlPlane } from '../support/control-plane.ts';
import { test } from '../support/transports.ts';

async function start(t: TestContext, setup: ControlPlaneSetup = {}): Promise<ControlPlane> {
	const plane = await startControlPlane(t, undefined, setup);
	await plane.addNode('here', 4);
	return plane;
}

/** A Pod that runs at 127.0.0.1, as a node agent would report it. */
async function runPod(plane: ControlPlane, name: string, ready: boolean): Promise<void> {
	const target = plane.client.resource(pods, 'default');
	const containers = [{ name: 'main', image: 'busybox', ports: [{ name: 'http', containerPort: 8080 }] }];
	const metadata = { name, labels: { app: 'x' } };
	await target.create({ apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers } } as unknown as Pod);
	await plane.until(pods, name, (pod) => pod?.spec.nodeName !== undefined);
	const status = { phase: 'Running', podIP: '127.0.0.1', podIPs: [{ ip: '127.0.0.1' }] };
	await target.patchStatus(name, 'strategic', { status });
	await report(plane, name, ready);
}

async function report(plane: ControlPlane, name: string, ready: boolean): Promise<void> {
	const conditions = [{ type: 'Ready', status: ready ? 'True' : 'False' }];
	await plane.client.resource(pods, 'default').patchStatus(name, 'strategic', { status: { conditions } });
}

async function createService(plane: ControlPlane, spec: object): Promise<Service> {
	const metadata = { name: 'web', labels: { tier: 'front' } };
	const object = { apiVersion: 'v1', kind: 'Service', metadata, spec } as unknown as Service;
	return plane.client.resource(services, 'default').create(object);
}

/** The only slice of the Service `web`, once it has this state. */
async function slice(plane: ControlPlane, holds: (slice: EndpointSlice) => boolean): Promise<EndpointSlice> {
	const target = plane.client.resource(endpointSlices, 'default');
	const labelSelector = 'kubernetes.io/service-name=web';
	for (let tries = 0; tries < 200; tries++) {
		const { items } = await target.list({ labelSelector });
		const [first] = items;
		if (first && items.length === 1 && holds(first)) return first;
		await plane.until(endpoints, 'web', () => true);
		await new Promise((resolve) => setTimeout(resolve, 20));
	}
	return assert.fail('the slice does not reach the state');
}

const readyNames = ({ endpoints: list }: EndpointSlice): readonly unknown[] =>
	list.filter(({ conditions }) => conditions?.ready).map(({ targetRef }) => targetRef?.name);

test('the Endpoints and the slice of a Service follow its Pods, and go with it', async (t) => {
	const plane = await start(t);
	await createService(plane, { selector: { app: 'x' }, ports: [{ port: 80, targetPort: 'http' }] });
	await plane.until(endpoints, 'web', (object) => object !== undefined);
	await runPod(plane, 'a', true);
	await runPod(plane, 'b', false);
	const both = await plane.until(endpoints, 'web', (object) => {
		const [subset] = object?.subsets ?? [];
		return subset?.addresses?.length === 1 && subset.notReadyAddresses?.length === 1;
	});
	assert.deepEqual(both?.subsets?.[0]?.ports, [{ port: 8080, protocol: 'TCP' }]);
	assert.equal(both?.metadata.labels?.tier, 'front');
	const known = await slice(plane, ({ endpoints: list }) => list.length === 2);
	assert.deepEqual([readyNames(known), known.endpoints[0]?.addresses], [['a'], ['127.0.0.1']]);
	await report(plane, 'b', true);
	await slice(plane, (found) => readyNames(found).length === 2);
	await plane.client.resource(pods, 'default').delete('a', { gracePeriodSeconds: 0 });
	const one = await slice(plane, (found) => found.endpoints.length === 1);
	await plane.until(endpoints, 'web', (object) => object?.subsets?.[0]?.addresses?.length === 1);
	await plane.client.resource(endpointSlices, 'default').delete(one.metadata.name ?? '');
	const again = await slice(plane, (found) => found.metadata.uid !== one.metadata.uid);
	await plane.client.resource(services, 'default').delete('web');
	await plane.until(endpointSlices, again.metadata.name ?? '', (object) => object === undefined);
	await plane.until(endpoints, 'web', (object) => object === undefined);
});

test('Endpoints that a user writes for a Service without selector are mirrored and not touched', async (t) => {
	const plane = await start(t);
	const target = plane.client.resource(endpoints, 'default');
	const subsets = [{ addresses: [{ ip: '10.1.2.3' }], ports: [{ port: 5432 }] }];
	const object = { apiVersion: 'v1', kind: 'Endpoints', metadata: { name: 'web' }, subsets };
	const { metadata } = await target.create(object as unknown as Endpoints);
	await createService(plane, { ports: [{ port: 5432 }] });
	const mirror = await slice(plane, (found) => found.endpoints.length === 1);
	assert.equal(
		mirror.metadata.labels?.['endpointslice.kubernetes.io/managed-by'],
		'endpointslicemirroring-controller.k8s.io',
	);
	assert.deepEqual(mirror.endpoints[0]?.addresses, ['10.1.2.3']);
	await target.patch('web', 'merge', { subsets: [{ ...subsets[0], addresses: [{ ip: '10.1.2.4' }] }] });
	const moved = await slice(plane, (found) => found.endpoints[0]?.addresses[0] === '10.1.2.4');
	assert.equal(moved.metadata.uid, mirror.metadata.uid);
	assert.equal((await target.get('web')).metadata.uid, metadata.uid);
	await plane.client
		.resource(services, 'default')
		.patch('web', 'merge', { spec: { selector: { app: 'x' } } });
	await slice(
		plane,
		(found) =>
			found.metadata.labels?.['endpointslice.kubernetes.io/managed-by'] === 'endpointslice-controller.k8s.io',
	);
});

test('the Service of the API server exists, and is restored', async (t) => {
	const apiServer = { clusterIp: '127.96.0.1', listener: { ip: '127.0.0.1', port: 6443 } };
	const plane = await start(t, { apiServer });
	const service = await plane.until(services, 'kubernetes', (object) => object !== undefined);
	assert.deepEqual([service?.spec.clusterIP, service?.spec.ports?.[0]?.targetPort], ['127.96.0.1', 6443]);
	const leads = (object: Endpoints | undefined): boolean => object?.subsets?.[0]?.ports?.[0]?.port === 6443;
	await plane.until(endpoints, 'kubernetes', leads);
	await plane.until(endpointSlices, 'kubernetes', (object) => object?.ports[0]?.port === 6443);
	await plane.client.resource(endpoints, 'default').patch('kubernetes', 'merge', { subsets: null });
	await plane.until(endpoints, 'kubernetes', leads);
	await plane.client.resource(services, 'default').delete('kubernetes');
	const uid = service?.metadata.uid;
	const isAnother = (object: Service | undefined): boolean =>
		object !== undefined && object.metadata.uid !== uid;
	const again = await plane.until(services, 'kubernetes', isAnother);
	assert.equal(again?.spec.clusterIP, '127.96.0.1');
	await plane.until(endpoints, 'kubernetes', leads);
});
