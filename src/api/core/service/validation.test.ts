import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FieldError } from '../../errors/field-path.ts';
import { services } from './definition.ts';
import { serviceWith } from './testing/service-with.ts';

const { strategy, status: statusStrategy } = services;
const PORTS = { ports: [{ port: 80 }] };
const LABEL =
	"a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN =
	"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const ADDRESS = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';
const BALANCER = "may only be used when `type` is 'LoadBalancer'";

function texts(errors: readonly FieldError[]): readonly string[] {
	return errors.map(({ field, message }) => `${field}: ${message}`);
}

function problems(spec: object, metadata: object = {}): readonly string[] {
	return texts(strategy.validateCreate(serviceWith({ ...PORTS, ...spec }, {}, metadata)));
}

/** A spec, and the errors that it causes. */
const REFUSED: readonly (readonly [object, ...string[]])[] = [
	[{ ports: [] }, 'spec.ports: Required value'],
	[
		{ type: 'LoadBalancer', clusterIP: 'None', clusterIPs: ['None'] },
		'spec.clusterIPs[0]: Invalid value: "None": may not be set to \'None\' for LoadBalancer services',
	],
	[
		{ type: 'NodePort', clusterIP: 'None', clusterIPs: ['None'] },
		'spec.clusterIPs[0]: Invalid value: "None": may not be set to \'None\' for NodePort services',
	],
	[
		{ type: 'ExternalName', clusterIPs: ['1.2.3.4'], ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' },
		'spec.clusterIPs: Forbidden: may not be set for ExternalName services',
		'spec.ipFamilies: Forbidden: may not be set for ExternalName services',
		'spec.ipFamilyPolicy: Forbidden: may not be set for ExternalName services',
		'spec.externalName: Required value',
	],
	[{ type: 'ExternalName', externalName: '-a.' }, `spec.externalName: Invalid value: "-a": ${SUBDOMAIN}`],
	[
		{ ports: [{ port: 80 }, { port: 81, name: 'a' }, { port: 82, name: 'a' }] },
		'spec.ports[0].name: Required value',
		'spec.ports[2].name: Duplicate value: "a"',
	],
	[{ ports: [{ port: 80, name: 'A' }] }, `spec.ports[0].name: Invalid value: "A": ${LABEL}`],
	[
		{ ports: [{ port: 0 }] },
		'spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive',
		'spec.ports[0].targetPort: Invalid value: 0: must be between 1 and 65535, inclusive',
	],
	[
		{ ports: [{ port: 80, targetPort: 'a--b' }] },
		'spec.ports[0].targetPort: Invalid value: "a--b": must not contain consecutive hyphens',
	],
	[
		{ ports: [{ port: 80, protocol: 'X' }] },
		'spec.ports[0].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP"',
	],
	[
		{
			ports: [
				{ port: 80, name: 'a' },
				{ port: 80, name: 'b' },
			],
		},
		'spec.ports[1]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,"TargetPort":0,"NodePort":0}',
	],
	[
		{ sessionAffinity: 'X' },
		'spec.sessionAffinity: Unsupported value: "X": supported values: "ClientIP", "None"',
	],
	[
		{ sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 0 } } },
		'spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 0: must be greater than 0 and less than 86400',
	],
	[{ clusterIP: '1.2.3.4' }, 'spec.clusterIPs: Required value'],
	[
		{ clusterIP: '1.2.3.4', clusterIPs: ['1.2.3.5'] },
		'spec.clusterIPs: Invalid value: ["1.2.3.5"]: first value must match `clusterIP`',
	],
	[
		{ clusterIPs: ['1.2.3.5'] },
		'spec.clusterIPs: Invalid value: ["1.2.3.5"]: must be empty when `clusterIP` is not specified',
	],
	[{ clusterIP: 'x', clusterIPs: ['x'] }, `spec.clusterIPs[0]: Invalid value: "x": ${ADDRESS}`],
	[
		{ clusterIP: 'None', clusterIPs: ['None', '1.2.3.4'] },
		'spec.clusterIPs: Invalid value: ["None","1.2.3.4"]: \'None\' must be the first and only value',
	],
	[
		{ clusterIP: '1.2.3.4', clusterIPs: ['1.2.3.4', '1.2.3.5'] },
		'spec.clusterIPs: Invalid value: ["1.2.3.4","1.2.3.5"]: may specify no more than one IP for each IP family',
	],
	[
		{ clusterIP: '1.2.3.4', clusterIPs: ['1.2.3.4'], ipFamilies: ['IPv6'] },
		'spec.clusterIPs[0]: Invalid value: "1.2.3.4": expected an IPv6 value as indicated by `ipFamilies[0]`',
	],
	[{ ipFamilies: ['X'] }, 'spec.ipFamilies[0]: Unsupported value: "X": supported values: "IPv4", "IPv6"'],
	[{ ipFamilies: ['IPv4', 'IPv4'] }, 'spec.ipFamilies[1]: Duplicate value: "IPv4"'],
	[
		{ ipFamilyPolicy: 'X' },
		'spec.ipFamilyPolicy: Unsupported value: "X": supported values: "PreferDualStack", "RequireDualStack", "SingleStack"',
	],
	[
		{ externalIPs: ['x', '127.0.0.1'] },
		`spec.externalIPs[0]: Invalid value: "x": ${ADDRESS}`,
		'spec.externalIPs[1]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
	],
	[
		{ type: 'X', internalTrafficPolicy: 'Cluster' },
		'spec.type: Unsupported value: "X": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
	],
	[
		{ ports: [{ port: 80, nodePort: 30_000 }] },
		"spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
	],
	[
		{
			type: 'NodePort',
			ports: [
				{ port: 80, name: 'a', nodePort: 30_000 },
				{ port: 81, name: 'b', nodePort: 30_000 },
				{ port: 81, name: 'c', nodePort: 30_000, protocol: 'UDP' },
			],
		},
		'spec.ports[1].nodePort: Duplicate value: 30000',
	],
	[
		{ loadBalancerSourceRanges: ['10.0.0.1/8'] },
		`spec.LoadBalancerSourceRanges: Forbidden: ${BALANCER}`,
		'spec.LoadBalancerSourceRanges[0]: Invalid value: "10.0.0.1/8": must not have bits set beyond the prefix length',
	],
	[{ allocateLoadBalancerNodePorts: true }, `spec.allocateLoadBalancerNodePorts: Forbidden: ${BALANCER}`],
	[{ loadBalancerClass: 'a' }, `spec.loadBalancerClass: Forbidden: ${BALANCER}`],
	[
		{ externalTrafficPolicy: 'Local' },
		'spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services',
	],
	[
		{ type: 'NodePort', externalTrafficPolicy: 'X' },
		'spec.externalTrafficPolicy: Unsupported value: "X": supported values: "Cluster", "Local"',
	],
	[
		{ healthCheckNodePort: 30_000 },
		"spec.healthCheckNodePort: Invalid value: 30000: may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
	],
	[{ type: 'LoadBalancer', externalTrafficPolicy: 'Local' }, 'spec.healthCheckNodePort: Required value'],
	[
		{ internalTrafficPolicy: 'X' },
		'spec.internalTrafficPolicy: Unsupported value: "X": supported values: "Cluster", "Local"',
	],
	[
		{ trafficDistribution: 'X' },
		'spec.trafficDistribution: Unsupported value: "X": supported values: "PreferClose", "PreferSameZone", "PreferSameNode"',
	],
];

test('a create is refused for each broken rule with the text of upstream', () => {
	for (const [spec, ...expected] of REFUSED) assert.deepEqual(problems(spec), expected, JSON.stringify(spec));
	assert.match(
		problems({ type: 'LoadBalancer', loadBalancerClass: '/' }).join(),
		/^spec.loadBalancerClass: Invalid value: "\/": prefix part must be non-empty/,
	);
	assert.match(
		problems({ ports: [{ port: 80, appProtocol: '?' }] }).join(),
		/^spec.ports\[0\].appProtocol: Invalid value: "\?"/,
	);
	assert.match(problems({ selector: { a: '?' } }).join(), /^spec.selector: Invalid value: "\?"/);
});

test('the name and the annotations are checked', () => {
	assert.deepEqual(problems({}, { name: '1a' }), []);
	assert.deepEqual(problems({}, { name: 'a.b' }), [
		'metadata.name: Invalid value: "a.b": must not contain dots',
	]);
	const annotations = {
		'service.kubernetes.io/topology-aware-hints': 'auto',
		'service.kubernetes.io/topology-mode': 'Disabled',
		'service.beta.kubernetes.io/load-balancer-source-ranges': ' 10.0.0.0/8, x',
	};
	assert.deepEqual(problems({}, { annotations }), [
		'metadata.annotations[service.kubernetes.io/topology-mode]: Invalid value: "Disabled": must match annotations[service.kubernetes.io/topology-aware-hints] when both are specified',
		`metadata.annotations[service.beta.kubernetes.io/load-balancer-source-ranges]: Forbidden: ${BALANCER}`,
		'metadata.annotations[service.beta.kubernetes.io/load-balancer-source-ranges]: Invalid value: "x": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
	]);
});

test('valid Services of every type are accepted', () => {
	const address = { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'], ipFamilies: ['IPv4'] };
	const two = { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1', 'fd::1'], ipFamilies: ['IPv4', 'IPv6'] };
	const sound: readonly object[] = [
		address,
		two,
		{ clusterIP: 'None', clusterIPs: ['None'], ports: [], ipFamilies: ['IPv4', 'IPv6'] },
		{ type: 'NodePort', ...address },
		{
			type: 'LoadBalancer',
			loadBalancerSourceRanges: [' 10.0.0.0/8 '],
			loadBalancerClass: 'a/b',
			...address,
		},
		{ type: 'ExternalName', externalName: 'a.b.', ports: [] },
		{ trafficDistribution: 'PreferSameNode', externalIPs: ['8.8.8.8'] },
	];
	for (const spec of sound) assert.deepEqual(problems(spec), [], JSON.stringify(spec));
});

test('an update cannot change what is allocated, except by a change from or to ExternalName', () => {
	const base = { ...PORTS, ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv4'] };
	const one = { ...base, clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'] };
	const other = { ...base, clusterIP: '10.0.0.2', clusterIPs: ['10.0.0.2'] };
	const two = {
		...PORTS,
		clusterIP: '10.0.0.1',
		clusterIPs: ['10.0.0.1', 'fd::1'],
		ipFamilies: ['IPv4', 'IPv6'],
		ipFamilyPolicy: 'PreferDualStack',
	};
	const alias = { type: 'ExternalName', externalName: 'a.b' };
	const balanced = { ...one, type: 'LoadBalancer', loadBalancerClass: 'a' };
	const local = { ...balanced, externalTrafficPolicy: 'Local', healthCheckNodePort: 30_000 };
	const rows: readonly (readonly [object, object, ...string[]])[] = [
		[one, { ...one, selector: { a: 'b' } }],
		[alias, one],
		[one, alias],
		[two, one],
		[one, other, 'spec.clusterIPs[0]: Invalid value: ["10.0.0.2"]: may not change once set'],
		[
			one,
			{ ...base, clusterIP: '', ipFamilies: ['IPv4'] },
			'spec.clusterIPs[0]: Invalid value: null: primary clusterIP can not be unset',
		],
		[
			two,
			{ ...one, ipFamilyPolicy: 'PreferDualStack' },
			'spec.ipFamilyPolicy: Invalid value: "PreferDualStack": must be set to \'SingleStack\' when releasing the secondary clusterIP',
			'spec.ipFamilyPolicy: Invalid value: "PreferDualStack": must be set to \'SingleStack\' when releasing the secondary ipFamily',
		],
		[
			balanced,
			{ ...balanced, loadBalancerClass: 'b' },
			'spec.loadBalancerClass: Invalid value: "b": may not change once set',
		],
		[
			local,
			{ ...local, healthCheckNodePort: 30_001 },
			'spec.healthCheckNodePort: Forbidden: field is immutable',
		],
	];
	for (const [before, after, ...expected] of rows) {
		const errors = strategy.validateUpdate(serviceWith(after), serviceWith(before));
		assert.deepEqual(texts(errors), expected, JSON.stringify(after));
	}
});

test('an update of the status is refused for each broken rule with the text of upstream', () => {
	const update = (
		type: string,
		ingress: readonly object[],
		before: readonly object[] = [],
	): readonly string[] => {
		const old = serviceWith({ type }, { loadBalancer: { ingress: before } });
		const next = serviceWith({ type: 'ExternalName' }, { loadBalancer: { ingress } });
		// The status of other types gets no defaults.
		const given = { ...next, spec: old.spec };
		return texts(statusStrategy?.validateUpdate(given, old) ?? []);
	};
	const path = 'status.loadBalancer.ingress';
	assert.deepEqual(update('ClusterIP', [{ hostname: 'a.b' }]), [
		`${path}: Forbidden: may only be used when \`spec.type\` is 'LoadBalancer'`,
	]);
	assert.deepEqual(update('LoadBalancer', [{ ip: 'x' }, { ipMode: 'VIP' }, { ip: '1.2.3.4', ipMode: 'X' }]), [
		`${path}[0].ip: Invalid value: "x": ${ADDRESS}`,
		`${path}[0].ipMode: Required value: must be specified when \`ip\` is set`,
		`${path}[1].ipMode: Forbidden: may not be specified when \`ip\` is not set`,
		`${path}[2].ipMode: Unsupported value: "X": supported values: "Proxy", "VIP"`,
	]);
	assert.deepEqual(update('LoadBalancer', [{ hostname: '1.2.3.4' }, { hostname: '-' }]), [
		`${path}[0].hostname: Invalid value: "1.2.3.4": must be a DNS name, not an IP address`,
		`${path}[1].hostname: Invalid value: "-": ${SUBDOMAIN}`,
	]);
	assert.deepEqual(update('LoadBalancer', [{ ip: 'x', ipMode: 'VIP' }], [{ ip: 'x' }]), []);
});
