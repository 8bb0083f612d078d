import assert from 'node:assert/strict';
import { test } from 'node:test';
import { services } from '../../api/core/service/definition.ts';
import { type ApiServerSnapshot, planApiServerService } from './api-server-service.ts';

const NOTHING: ApiServerSnapshot = {
	clusterIp: '127.96.0.1',
	listener: { ip: '127.0.0.1', port: 6443 },
	service: undefined,
	endpoints: undefined,
	slice: undefined,
};

/** The state after the plan for a server that finds nothing. */
function created(): ApiServerSnapshot {
	const { service, endpoints, slice } = planApiServerService(NOTHING);
	assert.ok(service && endpoints && slice);
	const stored = services.defaults({
		...service.object,
		spec: { ...service.object.spec, clusterIPs: ['127.96.0.1'] },
	});
	return { ...NOTHING, service: stored, endpoints: endpoints.object, slice: slice.object };
}

test('the Service has the first address and leads to the listener', () => {
	const { service, endpoints, slice } = created();
	assert.deepEqual(service?.spec.ports, [{ name: 'https', protocol: 'TCP', port: 443, targetPort: 6443 }]);
	assert.deepEqual(service?.metadata.labels, { component: 'apiserver', provider: 'kubernetes' });
	assert.deepEqual(endpoints?.subsets, [
		{ addresses: [{ ip: '127.0.0.1' }], ports: [{ name: 'https', port: 6443, protocol: 'TCP' }] },
	]);
	assert.equal(endpoints?.metadata.labels?.['endpointslice.kubernetes.io/skip-mirror'], 'true');
	assert.deepEqual(slice?.metadata.labels, { 'kubernetes.io/service-name': 'kubernetes' });
	assert.deepEqual(slice?.endpoints, [{ addresses: ['127.0.0.1'], conditions: { ready: true } }]);
	assert.deepEqual(planApiServerService(created()), {});
});

test('a restart on another port updates all three, and one with another range replaces the Service', () => {
	const moved = planApiServerService({ ...created(), listener: { ip: '127.0.0.1', port: 7000 } });
	assert.deepEqual(
		[moved.service?.kind, moved.endpoints?.kind, moved.slice?.kind],
		['update', 'update', 'update'],
	);
	assert.equal(moved.endpoints?.object.subsets?.[0]?.ports?.[0]?.port, 7000);
	const elsewhere = planApiServerService({ ...created(), clusterIp: '10.96.0.1' });
	assert.deepEqual(
		[elsewhere.service?.kind, elsewhere.endpoints, elsewhere.slice],
		['replace', undefined, undefined],
	);
	const labelled = created();
	assert.ok(labelled.service);
	const kept = { ...labelled.service, metadata: { ...labelled.service.metadata, annotations: { a: 'b' } } };
	assert.deepEqual(planApiServerService({ ...labelled, service: kept }), {});
});
