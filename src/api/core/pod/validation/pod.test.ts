import assert from 'node:assert/strict';
import test from 'node:test';
import { FieldPath } from '../../../errors/field-path.ts';
import { decode } from '../../../schema/decode.ts';
import { pods } from '../definition.ts';
import { podSchema, podTemplateSpecSchema } from '../schema.ts';
import { validatePodTemplate } from './pod.ts';

const MAIN = { name: 'main', image: 'a:1' };

function problems(spec: object, metadata: object = {}): readonly string[] {
	const json = {
		metadata: { name: 'p', namespace: 'default', ...metadata },
		spec: { restartPolicy: 'Never', containers: [MAIN], ...spec },
	};
	const pod = pods.strategy.prepareForCreate(pods.defaults(decode(podSchema, json).value));
	return pods.strategy.validateCreate(pod).map(({ field, message }) => `${field}: ${message}`);
}

type Rows = readonly (readonly [given: object, ...problems: readonly string[]])[];

/** Checks rows of a Pod spec and the errors that validation reports for it. */
function check(rows: Rows): void {
	for (const [spec, ...expected] of rows) assert.deepEqual(problems(spec), expected, JSON.stringify(spec));
}

/** Checks rows of the fields of a container and its errors, whose paths are relative to the container. */
function checkContainer(rows: Rows, spec: object = {}): void {
	for (const [container, ...expected] of rows) {
		const texts = problems({ ...spec, containers: [{ ...MAIN, ...container }] });
		const relative = texts.map((text) => text.replace(/^spec\.containers\[0\]\.?/, ''));
		assert.deepEqual(relative, expected, JSON.stringify(container));
	}
}

const LABEL =
	"a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN =
	"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const KEY =
	"must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

test('a Pod needs at least one container, each with a unique name and an image', () => {
	check([
		[{}],
		[{ containers: [] }, 'spec.containers: Required value'],
		[
			{ containers: [{ name: '', image: '' }] },
			'spec.containers[0].name: Required value',
			'spec.containers[0].image: Required value',
		],
		[{ containers: [{ ...MAIN, name: 'Main' }] }, `spec.containers[0].name: Invalid value: "Main": ${LABEL}`],
		[
			{ containers: [{ ...MAIN, name: 'a.b' }] },
			'spec.containers[0].name: Invalid value: "a.b": must not contain dots',
		],
		[{ containers: [MAIN, MAIN] }, 'spec.containers[1].name: Duplicate value: "main"'],
		[{ initContainers: [MAIN] }, 'spec.initContainers[0].name: Duplicate value: "main"'],
		[
			{ containers: [{ ...MAIN, image: ' a:1' }] },
			'spec.containers[0].image: Invalid value: " a:1": must not have leading or trailing whitespace',
		],
	]);
});

test('validation refuses an enum value that is not supported', () => {
	const pull = 'supported values: "Always", "IfNotPresent", "Never"';
	check([
		[
			{ restartPolicy: 'never' },
			'spec.restartPolicy: Unsupported value: "never": supported values: "Always", "OnFailure", "Never"',
		],
		[
			{ dnsPolicy: 'none' },
			'spec.dnsPolicy: Unsupported value: "none": supported values: "ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"',
		],
		[
			{ preemptionPolicy: 'Always' },
			'spec.preemptionPolicy: Unsupported value: "Always": supported values: "PreemptLowerPriority", "Never"',
		],
		[{ os: { name: 'plan9' } }, 'spec.os: Unsupported value: "plan9": supported values: "linux", "windows"'],
	]);
	checkContainer([
		[{ imagePullPolicy: 'always' }, `imagePullPolicy: Unsupported value: "always": ${pull}`],
		[
			{ terminationMessagePolicy: 'Logs' },
			'terminationMessagePolicy: Unsupported value: "Logs": supported values: "File", "FallbackToLogsOnError"',
		],
		[
			{ ports: [{ containerPort: 80, protocol: 'tcp' }] },
			'ports[0].protocol: Unsupported value: "tcp": supported values: "SCTP", "TCP", "UDP"',
		],
	]);
});

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

test('a volume needs a unique name and exactly one source', () => {
	const volume = (source: object): object => ({ volumes: [{ name: 'v', ...source }] });
	const at = 'spec.volumes[0]';
	const mode = 'must be a number between 0 and 0777 (octal), both inclusive';
	check([
		[{ volumes: [{ name: 'v' }, { name: 'w', hostPath: { path: '/tmp', type: 'Directory' } }] }],
		[{ volumes: [{ name: '' }] }, `${at}.name: Required value`],
		[{ volumes: [{ name: 'V' }] }, `${at}.name: Invalid value: "V": ${LABEL}`],
		[{ volumes: [{ name: 'v' }, { name: 'v' }] }, 'spec.volumes[1].name: Duplicate value: "v"'],
		[
			volume({ emptyDir: {}, hostPath: { path: '/tmp' }, secret: { secretName: 's' } }),
			`${at}.hostPath: Forbidden: may not specify more than 1 volume type`,
			`${at}.secret: Forbidden: may not specify more than 1 volume type`,
		],
		[volume({ hostPath: { path: '' } }), `${at}.hostPath.path: Required value`],
		[
			volume({ hostPath: { path: '/a/../b' } }),
			`${at}.hostPath.path: Invalid value: "/a/../b": must not contain '..'`,
		],
		[
			volume({ hostPath: { path: '/a', type: 'Dir' } }),
			`${at}.hostPath.type: Unsupported value: "Dir": supported values: "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"`,
		],
		[volume({ secret: {} }), `${at}.secret.secretName: Required value`],
		[volume({ configMap: {} }), `${at}.configMap.name: Required value`],
		[
			volume({ configMap: { name: 'c', defaultMode: 512 } }),
			`${at}.configMap.defaultMode: Invalid value: 512: ${mode}`,
		],
		[
			volume({
				configMap: {
					name: 'c',
					items: [
						{ key: '', path: '' },
						{ key: 'a', path: '/a' },
						{ key: 'a', path: '..a' },
					],
				},
			}),
			`${at}.configMap.items[0].key: Required value`,
			`${at}.configMap.items[0].path: Required value`,
			`${at}.configMap.items[1].path: Invalid value: "/a": must be a relative path`,
			`${at}.configMap.items[2].path: Invalid value: "..a": must not start with '..'`,
		],
		[
			volume({ downwardAPI: { items: [{ path: 'a' }] } }),
			`${at}.downwardAPI: Required value: one of fieldRef and resourceFieldRef is required`,
		],
		[
			volume({ downwardAPI: { items: [{ path: 'a', fieldRef: { fieldPath: 'spec.nodeName' } }] } }),
			`${at}.downwardAPI.fieldRef.fieldPath: Unsupported value: "spec.nodeName": supported values: "metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"`,
		],
		[
			volume({
				projected: {
					sources: [
						{ secret: { name: 's', items: [{ key: 'a', path: 'a' }] } },
						{ configMap: { name: 'c', items: [{ key: 'b', path: 'a' }] } },
					],
				},
			}),
			`${at}.projected: Invalid value: "c": conflicting duplicate paths`,
		],
		[
			volume({ persistentVolumeClaim: { claimName: '' } }),
			`${at}.persistentVolumeClaim.claimName: Required value`,
		],
		[volume({ nfs: { server: '', path: '/x' } }), `${at}.nfs.server: Required value`],
		[
			volume({ ephemeral: { volumeClaimTemplate: { spec: {} } } }),
			`${at}.ephemeral.volumeClaimTemplate.spec.accessModes: Required value: at least 1 access mode is required`,
			`${at}.ephemeral.volumeClaimTemplate.spec.resources[storage]: Required value`,
		],
		[
			volume({ image: { reference: 'a', pullPolicy: 'x' } }),
			`${at}.image.pullPolicy: Unsupported value: "x": supported values: "Always", "IfNotPresent", "Never"`,
		],
	]);
});

test('a mount must name a valid volume and a unique path', () => {
	const mounts = (...volumeMounts: readonly object[]): object => ({ volumeMounts });
	const mount = { name: 'v', mountPath: '/v' };
	checkContainer(
		[
			[mounts(mount, { name: 'v', mountPath: '/w', subPath: 'a/b', readOnly: true })],
			[mounts({ name: 'w', mountPath: '/w' }), 'volumeMounts[0].name: Not found: "w"'],
			[
				mounts({ name: '', mountPath: '' }),
				'volumeMounts[0].name: Required value',
				'volumeMounts[0].name: Not found: ""',
				'volumeMounts[0].mountPath: Required value',
			],
			[mounts(mount, mount), 'volumeMounts[1].mountPath: Invalid value: "/v": must be unique'],
			[
				mounts({ ...mount, subPath: '/a' }),
				'volumeMounts.subPath: Invalid value: "/a": must be a relative path',
			],
			[
				mounts({ ...mount, subPath: '../a' }),
				`volumeMounts.subPath: Invalid value: "../a": must not contain '..'`,
			],
			[
				mounts({ ...mount, subPath: 'a', subPathExpr: 'b' }),
				'volumeMounts[0].subPathExpr: Invalid value: "b": subPathExpr and subPath are mutually exclusive',
			],
			[
				mounts({ ...mount, mountPropagation: 'Bidirectional' }),
				'volumeMounts.mountPropagation: Forbidden: Bidirectional mount propagation is available only to privileged containers',
			],
			[
				mounts({ ...mount, recursiveReadOnly: 'Enabled' }),
				'volumeMounts.recursiveReadOnly: Forbidden: may only be specified when readOnly is true',
			],
			[
				{ volumeDevices: [{ name: 'v', devicePath: '/dev/v' }] },
				'volumeDevices[0].name: Invalid value: "v": can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode',
			],
		],
		{ volumes: [{ name: 'v' }] },
	);
	check([
		[
			{ volumes: [{ name: 'v', secret: {} }], containers: [{ ...MAIN, volumeMounts: [mount] }] },
			'spec.volumes[0].secret.secretName: Required value',
			'spec.containers[0].volumeMounts[0].name: Not found: "v"',
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

test('validation checks names, deadlines and addresses in the spec of a Pod', () => {
	check([
		[{ hostname: 'a.b' }, 'spec.hostname: Invalid value: "a.b": must not contain dots'],
		[{ subdomain: 'A' }, `spec.subdomain: Invalid value: "A": ${LABEL}`],
		[{ serviceAccountName: 'A' }, `spec.serviceAccountName: Invalid value: "A": ${SUBDOMAIN}`],
		[{ nodeName: 'A' }, `spec.nodeName: Invalid value: "A": ${SUBDOMAIN}`],
		[{ priorityClassName: 'A' }, `spec.priorityClassName: Invalid value: "A": ${SUBDOMAIN}`],
		[
			{ activeDeadlineSeconds: 0 },
			'spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive',
		],
		[{ hostAliases: [{ ip: '127.0.0.1', hostnames: ['a', 'b.c'] }, { ip: '::1' }] }],
		[
			{ hostAliases: [{ ip: 'localhost' }] },
			'spec.hostAliases[0].ip: Invalid value: "localhost": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
		],
		[
			{ hostAliases: [{ ip: '010.0.0.1' }] },
			'spec.hostAliases[0].ip: Invalid value: "010.0.0.1": must not have leading 0s',
		],
		[
			{ hostAliases: [{ ip: '::ffff:1.2.3.4' }] },
			'spec.hostAliases[0].ip: Invalid value: "::ffff:1.2.3.4": must not be an IPv4-mapped IPv6 address',
		],
		[
			{ hostAliases: [{ ip: '1.1.1.1', hostnames: ['A'] }] },
			`spec.hostAliases[0].hostnames[0]: Invalid value: "A": ${SUBDOMAIN}`,
		],
		[
			{ dnsPolicy: 'None' },
			'spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None',
		],
		[{ dnsPolicy: 'None', dnsConfig: { nameservers: ['1.1.1.1'], searches: ['a_b.c', '.'] } }],
		[{ nodeSelector: { 'a b': 'c' } }, `spec.nodeSelector: Invalid value: "a b": name part ${KEY}`],
		[
			{ readinessGates: [{ conditionType: 'a b' }] },
			`spec.readinessGates[0].conditionType: Invalid value: "a b": name part ${KEY}`,
		],
		[{ schedulingGates: [{ name: 'a' }, { name: 'a' }] }, 'spec.schedulingGates[1]: Duplicate value: "a"'],
		[
			{ schedulingGates: [{ name: 'a' }], nodeName: 'n' },
			'spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared',
		],
	]);
});

test('validation checks key, operator, value and effect of tolerations', () => {
	const toleration = (given: object): object => ({ tolerations: [given] });
	const at = 'spec.tolerations[0]';
	check([
		[toleration({ operator: 'Exists' })],
		[toleration({ key: 'a', value: 'b', effect: 'NoExecute', tolerationSeconds: 5 })],
		[
			toleration({ operator: 'Equal' }),
			`${at}.operator: Invalid value: "Equal": operator must be Exists when \`key\` is empty, which means "match all values and all keys"`,
		],
		[
			toleration({ key: 'a', operator: 'Exists', value: 'b' }),
			`${at}.operator: Invalid value: "b": value must be empty when \`operator\` is 'Exists'`,
		],
		[
			toleration({ key: 'a', effect: 'NoSchedule', tolerationSeconds: 5 }),
			`${at}.effect: Invalid value: "NoSchedule": effect must be 'NoExecute' when \`tolerationSeconds\` is set`,
		],
		[
			toleration({ key: 'a', operator: 'exists' }),
			`${at}.operator: Unsupported value: "exists": supported values: "Equal", "Exists"`,
		],
		[
			toleration({ key: 'a', operator: 'Gt', value: '1' }),
			`${at}.operator: Unsupported value: "Gt": supported values: "Equal", "Exists", "Lt", "Gt"`,
		],
		[
			toleration({ key: 'a', effect: 'noschedule' }),
			`${at}.effect: Unsupported value: "noschedule": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"`,
		],
	]);
});

test('validation checks affinity terms and topology spread constraints', () => {
	const required = 'requiredDuringSchedulingIgnoredDuringExecution';
	const preferred = 'preferredDuringSchedulingIgnoredDuringExecution';
	const node = (...matchExpressions: readonly object[]): object => ({
		affinity: { nodeAffinity: { [required]: { nodeSelectorTerms: [{ matchExpressions }] } } },
	});
	const terms = `spec.affinity.nodeAffinity.${required}.nodeSelectorTerms`;
	const expression = `${terms}[0].matchExpressions[0]`;
	const near = (term: object): object => ({ affinity: { podAffinity: { [required]: [term] } } });
	const pod = `spec.affinity.podAffinity.${required}[0]`;
	const spread = { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', labelSelector: {} };
	const constraints = (...given: readonly object[]): object => ({ topologySpreadConstraints: given });
	const list = 'spec.topologySpreadConstraints';
	check([
		[
			node(
				{ key: 'a', operator: 'In', values: ['b'] },
				{ key: 'c', operator: 'Exists' },
				{ key: 'd', operator: 'Gt', values: ['1'] },
			),
		],
		[
			{ affinity: { nodeAffinity: { [required]: { nodeSelectorTerms: [] } } } },
			`${terms}: Required value: must have at least one node selector term`,
		],
		[
			node({ key: 'a', operator: 'In' }),
			`${expression}.values: Required value: must be specified when \`operator\` is 'In' or 'NotIn'`,
		],
		[
			node({ key: 'a', operator: 'Exists', values: ['b'] }),
			`${expression}.values: Forbidden: may not be specified when \`operator\` is 'Exists' or 'DoesNotExist'`,
		],
		[
			node({ key: 'a', operator: 'Gt', values: ['1', '2'] }),
			`${expression}.values: Required value: must be specified single value when \`operator\` is 'Lt' or 'Gt'`,
		],
		[
			node({ key: 'a', operator: '=' }),
			`${expression}.operator: Invalid value: "=": not a valid selector operator`,
		],
		[
			{ affinity: { nodeAffinity: { [preferred]: [{ weight: 0, preference: {} }] } } },
			`spec.affinity.nodeAffinity.${preferred}[0].weight: Invalid value: 0: must be in the range 1-100`,
		],
		[near({ labelSelector: { matchLabels: { a: 'b' } }, topologyKey: 'zone', namespaces: ['n'] })],
		[
			near({ labelSelector: {}, topologyKey: '' }),
			`${pod}.topologyKey: Required value: can not be empty`,
			`${pod}.topologyKey: Invalid value: "": name part must be non-empty`,
			`${pod}.topologyKey: Invalid value: "": name part ${KEY}`,
		],
		[
			near({ topologyKey: 'zone', matchLabelKeys: ['a'] }),
			`${pod}.matchLabelKeys: Forbidden: must not be specified when labelSelector is not set`,
		],
		[constraints(spread, { ...spread, whenUnsatisfiable: 'ScheduleAnyway' })],
		[
			constraints({ ...spread, maxSkew: 0, minDomains: 0, whenUnsatisfiable: 'Never' }),
			`${list}[0].maxSkew: Invalid value: 0: must be greater than zero`,
			`${list}[0].whenUnsatisfiable: Unsupported value: "Never": supported values: "DoNotSchedule", "ScheduleAnyway"`,
			`${list}[0].minDomains: Invalid value: 0: must be greater than zero`,
			`${list}[0].minDomains: Invalid value: 0: can only use minDomains if whenUnsatisfiable=DoNotSchedule, not Never`,
		],
		[
			constraints(spread, spread),
			`${list}[0].{topologyKey, whenUnsatisfiable}: Duplicate value: "{zone, DoNotSchedule}"`,
		],
	]);
});

test('validation checks the security contexts of the Pod and its containers', () => {
	const range = 'must be between 0 and 2147483647, inclusive';
	const context = (securityContext: object): object => ({ securityContext });
	check([
		[context({ runAsUser: 0, runAsGroup: 0, fsGroup: 0, supplementalGroups: [1] })],
		[context({ runAsUser: -1 }), `spec.securityContext.runAsUser: Invalid value: -1: ${range}`],
		[
			context({ supplementalGroups: [-1] }),
			`spec.securityContext.supplementalGroups[0]: Invalid value: -1: ${range}`,
		],
		[
			context({ fsGroupChangePolicy: 'Never' }),
			'spec.securityContext.fsGroupChangePolicy: Unsupported value: "Never": supported values: "Always", "OnRootMismatch"',
		],
		[
			context({ seccompProfile: { type: '' } }),
			'spec.securityContext.seccompProfile.type: Required value: type is required when seccompProfile is set',
		],
		[
			context({ sysctls: [{ name: 'A', value: '1' }] }),
			'spec.securityContext.sysctls[0].name: Invalid value: "A": must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$',
		],
		[
			{ hostNetwork: true, ...context({ sysctls: [{ name: 'net.core.somaxconn', value: '1' }] }) },
			'spec.securityContext.sysctls[0].name: Invalid value: "net.core.somaxconn": may not be specified when \'hostNetwork\' is true',
		],
		[{ hostUsers: false, hostPID: true }, 'spec.HostPID: Forbidden: when `hostUsers` is false'],
		[
			{ hostPID: true, shareProcessNamespace: true },
			'spec.securityContext.shareProcessNamespace: Invalid value: true: ShareProcessNamespace and HostPID cannot both be enabled',
		],
	]);
	checkContainer([
		[context({ privileged: true, capabilities: { add: ['NET_ADMIN'] } })],
		[context({ runAsUser: -1 }), `securityContext.runAsUser: Invalid value: -1: ${range}`],
		[
			context({ privileged: true, allowPrivilegeEscalation: false }),
			'securityContext: Invalid value: {"privileged":true,"allowPrivilegeEscalation":false}: cannot set `allowPrivilegeEscalation` to false and `privileged` to true',
		],
		[
			context({ procMount: 'Unmasked' }),
			'securityContext.procMount: Invalid value: "Unmasked": `hostUsers` must be false to use `Unmasked`',
		],
		[
			context({ seccompProfile: { type: 'Localhost' } }),
			'securityContext.seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost',
		],
	]);
});

test('a resource claim of the Pod needs a unique name and exactly one source, and only containers can use it', () => {
	const claim = { name: 'gpu', resourceClaimName: 'c' };
	check([
		[{ resourceClaims: [claim], containers: [{ ...MAIN, resources: { claims: [{ name: 'gpu' }] } }] }],
		[
			{ resources: { claims: [{ name: 'gpu' }] } },
			'spec.resources.claims: Forbidden: claims may not be set for Resources at pod-level',
			'spec.resources.claims[0]: Not found: "gpu": must be one of the names in pod.spec.resourceClaims which is empty',
		],
		[{ resourceClaims: [claim, claim] }, 'spec.resourceClaims[1].name: Duplicate value: "gpu"'],
		[
			{ resourceClaims: [{ name: 'gpu' }] },
			'spec.resourceClaims[0]: Invalid value: {"name":"gpu"}: must specify one of: `resourceClaimName`, `resourceClaimTemplateName`',
		],
	]);
});

test('a Pod template is validated like a Pod, without the rules that are for Pods only', () => {
	const template = (spec: object, metadata: object = {}): readonly string[] => {
		const json = {
			metadata,
			spec: {
				restartPolicy: 'Never',
				dnsPolicy: 'Default',
				terminationGracePeriodSeconds: 30,
				containers: [{ ...MAIN, imagePullPolicy: 'Always', terminationMessagePolicy: 'File' }],
				...spec,
			},
		};
		const { value } = decode(podTemplateSpecSchema, json);
		return validatePodTemplate(value, new FieldPath('template')).map(
			({ field, message }) => `${field}: ${message}`,
		);
	};
	const [main] = [{ ...MAIN, imagePullPolicy: 'Always', terminationMessagePolicy: 'File' }];
	assert.deepEqual(template({}), []);
	assert.deepEqual(
		template({ containers: [{ ...main, image: ' a:1' }] }),
		[],
		'images may have spaces around them',
	);
	const ports = [{ containerPort: 80, protocol: 'TCP' }];
	assert.deepEqual(template({ hostNetwork: true, containers: [{ ...main, ports }] }), []);
	assert.deepEqual(template({}, { labels: { 'a b': 'c' } }), [
		`template.labels: Invalid value: "a b": name part ${KEY}`,
	]);
	assert.deepEqual(template({ ephemeralContainers: [{ ...main, name: 'e' }] }), [
		'template.spec.ephemeralContainers: Forbidden: ephemeral containers not allowed in pod template',
	]);
	assert.deepEqual(template({ terminationGracePeriodSeconds: null }), [
		'template.spec.terminationGracePeriodSeconds: Required value',
	]);
});
