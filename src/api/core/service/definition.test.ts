import assert from 'node:assert/strict';
import { test } from 'node:test';
import { services } from './definition.ts';
import type { Service } from './schema.ts';
import { serviceWith } from './testing/service-with.ts';

const { strategy, status: statusStrategy, columns } = services;

function cells(service: Service): readonly (string | number | boolean)[] {
	return columns.map(({ cell }) => cell(service, 0));
}

test('the defaults are those of upstream, and a second pass changes nothing', () => {
	const service = serviceWith({ ports: [{ port: 80 }, { port: 81, targetPort: 'web', protocol: 'UDP' }] });
	assert.deepEqual(service.spec, {
		ports: [
			{ port: 80, protocol: 'TCP', targetPort: 80 },
			{ port: 81, protocol: 'UDP', targetPort: 'web' },
		],
		type: 'ClusterIP',
		sessionAffinity: 'None',
		internalTrafficPolicy: 'Cluster',
	});
	assert.equal(services.defaults(service), service);
	const sticky = serviceWith({ sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: {} } });
	assert.deepEqual(sticky.spec.sessionAffinityConfig, { clientIP: { timeoutSeconds: 10_800 } });
	const loose = serviceWith({ sessionAffinityConfig: { clientIP: { timeoutSeconds: 1 } } });
	assert.equal(loose.spec.sessionAffinityConfig, undefined);
	const balanced = serviceWith(
		{ type: 'LoadBalancer' },
		{ loadBalancer: { ingress: [{ ip: '1.2.3.4' }, { hostname: 'a.b' }] } },
	);
	assert.equal(balanced.spec.externalTrafficPolicy, 'Cluster');
	assert.equal(balanced.spec.allocateLoadBalancerNodePorts, true);
	assert.deepEqual(balanced.status.loadBalancer?.ingress, [
		{ ip: '1.2.3.4', ipMode: 'VIP' },
		{ hostname: 'a.b' },
	]);
	const alias = serviceWith({ type: 'ExternalName', externalName: 'a.b', internalTrafficPolicy: 'Local' });
	assert.deepEqual(alias.spec, { type: 'ExternalName', sessionAffinity: 'None', externalName: 'a.b' });
	assert.equal(serviceWith({ externalIPs: ['1.2.3.4'] }).spec.externalTrafficPolicy, 'Cluster');
});

test('the status is written through its subresource alone', () => {
	const given = serviceWith({ type: 'LoadBalancer' }, { loadBalancer: { ingress: [{ hostname: 'a' }] } });
	assert.deepEqual(strategy.prepareForCreate(given).status, { loadBalancer: {} });
	const old = serviceWith({ type: 'LoadBalancer' }, { loadBalancer: { ingress: [{ hostname: 'b' }] } });
	assert.deepEqual(strategy.prepareForUpdate(given, old).status, old.status);
	const other = statusStrategy?.prepareForUpdate(given, serviceWith({ type: 'ClusterIP' }));
	assert.equal(other?.spec.type, 'ClusterIP');
	assert.deepEqual(other.status, given.status);
});

test('a change of the type clears the fields that only the old type has, unless the client changed them', () => {
	const balanced = {
		type: 'LoadBalancer',
		clusterIP: '10.0.0.1',
		clusterIPs: ['10.0.0.1'],
		ipFamilies: ['IPv4'],
		ipFamilyPolicy: 'SingleStack',
		externalTrafficPolicy: 'Local',
		healthCheckNodePort: 30_001,
		loadBalancerClass: 'a/b',
		ports: [{ port: 80, nodePort: 30_000 }],
	};
	const old = serviceWith(balanced, { loadBalancer: { ingress: [{ hostname: 'b' }] } });
	const named = { externalName: 'a.b' };
	const next = strategy.prepareForUpdate(serviceWith({ ...balanced, ...named, type: 'ExternalName' }), old);
	assert.deepEqual(next.spec, {
		type: 'ExternalName',
		sessionAffinity: 'None',
		externalName: 'a.b',
		ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
	});
	assert.deepEqual(next.status, { loadBalancer: {} });
	const changed = strategy.prepareForUpdate(
		serviceWith({
			...balanced,
			type: 'ClusterIP',
			healthCheckNodePort: 30_009,
			ports: [{ port: 80, nodePort: 30_002 }],
		}),
		old,
	);
	assert.equal(changed.spec.healthCheckNodePort, 30_009);
	assert.equal(changed.spec.ports?.[0]?.nodePort, 30_002);
	assert.equal(changed.spec.clusterIP, '10.0.0.1');
});

test('the printer columns are those of kubectl', () => {
	const ports = [
		{ port: 80, nodePort: 30_000 },
		{ port: 53, protocol: 'UDP', name: 'b' },
	];
	const clusterIPs = ['10.0.0.1'];
	const selector = { b: '2', a: '1' };
	assert.deepEqual(cells(serviceWith({ clusterIPs, ports, selector })), [
		'web',
		'ClusterIP',
		'10.0.0.1',
		'<none>',
		'80:30000/TCP,53/UDP',
		'<unknown>',
		'a=1,b=2',
	]);
	assert.deepEqual(cells(serviceWith({ type: 'ExternalName', externalName: 'a.b' })).slice(1, 5), [
		'ExternalName',
		'<none>',
		'a.b',
		'<none>',
	]);
	assert.equal(cells(serviceWith({ type: 'LoadBalancer' }))[3], '<pending>');
	const ingress = [{ ip: '9.9.9.9' }, { hostname: 'a.b' }, { ip: '1.1.1.1' }];
	const balanced = serviceWith(
		{ type: 'LoadBalancer', externalIPs: ['7.7.7.7'] },
		{ loadBalancer: { ingress } },
	);
	assert.equal(cells(balanced)[3], '1.1.1.1,9.9.9.9,a.b,7.7.7.7');
	assert.deepEqual(services.selectableFields(serviceWith({ clusterIP: '10.0.0.1' })), {
		'spec.clusterIP': '10.0.0.1',
		'spec.type': 'ClusterIP',
	});
});

test('warnings name what is deprecated or ignored', () => {
	const rows: readonly (readonly [object, readonly string[]])[] = [
		[
			{ clusterIP: '1:0::2', clusterIPs: ['1:0::2'] },
			['spec.clusterIPs[0]: IPv6 address "1:0::2" should be in RFC 5952 canonical format ("1::2")'],
		],
		[
			{ clusterIP: 'None', loadBalancerIP: '1.2.3.4', externalIPs: ['1.2.3.4'], sessionAffinity: 'ClientIP' },
			[
				'spec.loadBalancerIP is ignored for headless services',
				'spec.externalIPs is ignored for headless services',
				'spec.SessionAffinity is ignored for headless services',
			],
		],
		[
			{ externalIPs: ['1.2.3.4'] },
			['spec.externalIPs is deprecated and may no longer be implemented in some clusters'],
		],
		[
			{ type: 'ExternalName', externalIPs: ['1.2.3.4'] },
			['spec.externalIPs is ignored when spec.type is "ExternalName"'],
		],
		[{ externalName: 'a.b' }, ['spec.externalName is ignored when spec.type is not "ExternalName"']],
		[
			{ trafficDistribution: 'PreferClose' },
			['spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"'],
		],
	];
	for (const [spec, texts] of rows)
		assert.deepEqual(strategy.warnings?.(serviceWith(spec), undefined), texts);
	const annotated = serviceWith(
		{},
		{},
		{ annotations: { 'service.kubernetes.io/topology-aware-hints': 'auto' } },
	);
	assert.deepEqual(strategy.warnings?.(annotated, undefined), [
		'annotation service.kubernetes.io/topology-aware-hints is deprecated, please use service.kubernetes.io/topology-mode instead',
	]);
});
