import test from 'node:test';
import { check, checkContainer, KEY, MAIN, SUBDOMAIN } from './testing/pod-problems.ts';

test('validation checks the name and the source of environment variables', () => {
	const from = (valueFrom: object, value?: string): object => ({ env: [{ name: 'A', value, valueFrom }] });
	const one =
		'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`';
	const at = 'env[0].valueFrom';
	const name = { fieldRef: { fieldPath: 'metadata.name' } };
	checkContainer([
		[{ env: [{ name: 'A B-.2', value: 'x' }] }],
		[{ env: [{ name: '' }] }, 'env[0].name: Required value'],
		[
			{ env: [{ name: 'A=B' }] },
			'env[0].name: Invalid value: "A=B": a valid environment variable name must consist only of printable ASCII characters other than \'=\'',
		],
		[from({}), `${at}: Invalid value: "": ${one}`],
		[from(name, 'x'), `${at}: Invalid value: "": may not be specified when \`value\` is not empty`],
		[
			from({ ...name, resourceFieldRef: { resource: 'limits.cpu' } }),
			`${at}: Invalid value: "": may not have more than one field specified at a time`,
		],
		[from({ fieldRef: { fieldPath: '' } }), `${at}.fieldRef.fieldPath: Required value`],
		[from({ fieldRef: { fieldPath: "metadata.labels['app.kubernetes.io/name']" } })],
		[
			from({ fieldRef: { fieldPath: "metadata.annotations['A b']" } }),
			`${at}.fieldRef: Invalid value: "a b": name part ${KEY}`.replace('"a b"', '"A b"'),
		],
		[
			from({ fieldRef: { fieldPath: 'metadata.nane' } }),
			`${at}.fieldRef.fieldPath: Invalid value: "metadata.nane": error converting fieldPath: field label not supported: metadata.nane`,
		],
		[
			from({ fieldRef: { fieldPath: "metadata.name['a']" } }),
			`${at}.fieldRef.fieldPath: Invalid value: "metadata.name['a']": error converting fieldPath: field label does not support subscript: metadata.name['a']`,
		],
		[
			from({ fieldRef: { fieldPath: 'status.phase' } }),
			`${at}.fieldRef.fieldPath: Unsupported value: "status.phase": supported values: "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"`,
		],
		[
			from({ resourceFieldRef: { resource: 'limits.gpu' } }),
			`${at}.resourceFieldRef.resource: Unsupported value: "limits.gpu": supported values: "limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage", "requests.memory"`,
		],
		[
			from({ resourceFieldRef: { resource: 'limits.cpu', divisor: '1Ki' } }),
			`${at}.resourceFieldRef.divisor: Invalid value: "limits.cpu": only divisor's values 1m and 1 are supported with the cpu resource`,
		],
		[from({ resourceFieldRef: { resource: 'limits.memory', divisor: '1Mi' } })],
		[
			from({ configMapKeyRef: { name: '', key: '' } }),
			`${at}.configMapKeyRef.name: Invalid value: "": ${SUBDOMAIN}`,
			`${at}.configMapKeyRef.key: Required value`,
		],
		[
			from({ secretKeyRef: { name: 's', key: 'a b' } }),
			`${at}.secretKeyRef.key: Invalid value: "a b": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')`,
		],
		[{ envFrom: [{ prefix: 'P_', configMapRef: { name: 'c' } }] }],
		[{ envFrom: [{}] }, 'envFrom: Invalid value: "": must specify one of: `configMapRef` or `secretRef`'],
		[{ envFrom: [{ secretRef: {} }] }, 'envFrom[0].secretRef.name: Required value'],
	]);
});

test('validation checks the number, name and uniqueness of ports', () => {
	const range = 'must be between 1 and 65535, inclusive';
	checkContainer([
		[{ ports: [{ containerPort: 0 }] }, 'ports[0].containerPort: Required value'],
		[{ ports: [{ containerPort: 70000 }] }, `ports[0].containerPort: Invalid value: 70000: ${range}`],
		[{ ports: [{ containerPort: 1, hostPort: -1 }] }, `ports[0].hostPort: Invalid value: -1: ${range}`],
		[
			{ ports: [{ containerPort: 1, name: 'a_b' }] },
			'ports[0].name: Invalid value: "a_b": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
		],
		[
			{
				ports: [
					{ containerPort: 1, name: 'a' },
					{ containerPort: 2, name: 'a' },
				],
			},
			'ports[1].name: Duplicate value: "a"',
		],
		[
			{
				ports: [
					{ containerPort: 1, hostPort: 9 },
					{ containerPort: 2, hostPort: 9 },
				],
			},
			'ports[1].hostPort: Duplicate value: "TCP//9"',
		],
	]);
	checkContainer(
		[
			[{ ports: [{ containerPort: 80 }] }],
			[
				{ ports: [{ containerPort: 80, hostPort: 81 }] },
				'ports[0].hostPort: Invalid value: 81: must match `containerPort` when `hostNetwork` is true',
			],
		],
		{ hostNetwork: true },
	);
});

test('validation checks names, quantities and claims in resource requirements', () => {
	const limits = (list: object): object => ({ resources: { limits: list } });
	checkContainer([
		[limits({ cpu: '1', memory: '1Gi', 'ephemeral-storage': '1Gi', 'nvidia.com/gpu': '1' })],
		[
			{ resources: { limits: { cpu: '1' }, requests: { cpu: '1500m' } } },
			'resources.requests: Invalid value: "1500m": must be less than or equal to cpu limit of 1',
		],
		[
			{ resources: { requests: { cpu: '-1' } } },
			'resources.requests[cpu]: Invalid value: "-1": must be greater than or equal to 0',
		],
		[
			{ resources: { requests: { cpus: '1' } } },
			'resources.requests[cpus]: Invalid value: "cpus": must be a standard resource type or fully qualified',
			'resources.requests[cpus]: Invalid value: "cpus": must be a standard resource for containers',
		],
		[
			{ resources: { requests: { pods: '1' } } },
			'resources.requests[pods]: Invalid value: "pods": must be a standard resource for containers',
		],
		[
			{ resources: { requests: { 'nvidia.com/gpu': '1' } } },
			'resources.limits: Required value: Limit must be set for non overcommitable resources',
		],
		[
			{ resources: { limits: { 'nvidia.com/gpu': '2' }, requests: { 'nvidia.com/gpu': '1' } } },
			'resources.requests: Invalid value: "1": must be equal to nvidia.com/gpu limit of 2',
		],
		[
			limits({ 'nvidia.com/gpu': '500m' }),
			'resources.limits[nvidia.com/gpu]: Invalid value: "500m": must be an integer',
			'resources.requests[nvidia.com/gpu]: Invalid value: "500m": must be an integer',
		],
		[limits({ 'hugepages-2Mi': '4Mi', memory: '1Gi' })],
		[limits({ 'hugepages-2Mi': '4Mi' }), 'resources: Forbidden: HugePages require cpu or memory'],
		[
			{ resources: { claims: [{ name: 'gpu' }] } },
			'resources.claims[0]: Not found: "gpu": must be one of the names in pod.spec.resourceClaims which is empty',
		],
	]);
	const containers = [{ ...MAIN, resources: { requests: { cpu: '2' }, limits: { cpu: '4' } } }];
	check([
		[
			{ containers, resources: { requests: { cpu: '1' }, limits: { cpu: '3' } } },
			'spec.resources.requests[cpu]: Invalid value: "1": must be greater than or equal to aggregate container requests of 2',
			'spec.resources.containers[0][cpu].limits: Invalid value: "4": must be less than or equal to pod limits of 3',
		],
		[
			{ resources: { limits: { 'ephemeral-storage': '1Gi' } } },
			'spec.resources.limits[ephemeral-storage]: Unsupported value: "ephemeral-storage": supported values: "cpu", "hugepages-", "memory"',
		],
	]);
});

test('validation checks the handler and the numbers of probes and lifecycle hooks', () => {
	const exec = { exec: { command: ['true'] } };
	const range = 'must be between 1 and 65535, inclusive';
	checkContainer([
		[
			{
				livenessProbe: exec,
				readinessProbe: { httpGet: { port: 'http' } },
				startupProbe: { grpc: { port: 80 } },
			},
		],
		[{ livenessProbe: {} }, 'livenessProbe: Required value: must specify a handler type'],
		[{ livenessProbe: { exec: {} } }, 'livenessProbe.exec.command: Required value'],
		[
			{ livenessProbe: { ...exec, tcpSocket: { port: 80 } } },
			'livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type',
		],
		[{ livenessProbe: { httpGet: { port: 0 } } }, `livenessProbe.httpGet.port: Invalid value: 0: ${range}`],
		[
			{ livenessProbe: { httpGet: { port: 80, scheme: 'http' } } },
			'livenessProbe.httpGet.scheme: Unsupported value: "http": supported values: "HTTP", "HTTPS"',
		],
		[
			{ livenessProbe: { ...exec, periodSeconds: -1 } },
			'livenessProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0',
		],
		[
			{ livenessProbe: { ...exec, successThreshold: 2 } },
			'livenessProbe.successThreshold: Invalid value: 2: must be 1',
		],
		[{ readinessProbe: { ...exec, successThreshold: 2 } }],
		[
			{ readinessProbe: { ...exec, terminationGracePeriodSeconds: 1 } },
			'readinessProbe.terminationGracePeriodSeconds: Invalid value: 1: must not be set for readinessProbes',
		],
		[{ lifecycle: { preStop: { sleep: { seconds: 0 } } } }],
		[{ lifecycle: { preStop: {} } }, 'lifecycle.preStop: Required value: must specify a handler type'],
		[
			{ lifecycle: { preStop: { sleep: { seconds: 31 } } } },
			'lifecycle.preStop.sleep: Invalid value: 31: must be non-negative and less than terminationGracePeriodSeconds (30)',
		],
		[{ lifecycle: { stopSignal: 'SIGNO' } }],
	]);
});

test('only sidecars among the init containers can have probes and lifecycle hooks', () => {
	const init = (container: object): object => ({
		initContainers: [{ name: 'init', image: 'a', ...container }],
	});
	const exec = { exec: { command: ['true'] } };
	const at = 'spec.initContainers[0]';
	check([
		[init({})],
		[init({ restartPolicy: 'Always', livenessProbe: exec, lifecycle: { postStart: exec } })],
		[
			init({ livenessProbe: exec }),
			`${at}.livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always`,
		],
		[
			init({ restartPolicy: 'always' }),
			`${at}.restartPolicy: Unsupported value: "always": supported values: "Always", "Never", "OnFailure"`,
		],
		[
			init({ restartPolicyRules: [{ action: 'restart' }] }),
			`${at}.restartPolicy: Required value: must specify restartPolicy when restart rules are used`,
		],
		[
			{
				ephemeralContainers: [
					{ name: 'e', image: 'a', resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'NotRequired' }] },
				],
			},
			'spec.ephemeralContainers[0].resizePolicy: Forbidden: cannot be set for an Ephemeral Container',
			'spec.ephemeralContainers: Forbidden: cannot be set on create',
		],
		[
			{ ephemeralContainers: [{ name: 'e', image: 'a' }] },
			'spec.ephemeralContainers: Forbidden: cannot be set on create',
		],
	]);
	checkContainer([
		[
			{
				restartPolicy: 'Never',
				restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }],
			},
		],
		[
			{ restartPolicy: 'Never', restartPolicyRules: [{ action: 'restart' }] },
			'restartPolicyRules[0].action: Unsupported value: "restart": supported values: "Restart", "RestartAllContainers"',
			'restartPolicyRules[0].exitCodes: Required value: must be specified',
		],
	]);
});
