import assert from 'node:assert/strict';
import test from 'node:test';
import { FieldPath } from '../../../errors/field-path.ts';
import { decode } from '../../../schema/decode.ts';
import { podTemplateSpecSchema } from '../schema.ts';
import { deletionCostOf, validateDeletionCost } from './deletion-cost.ts';
import { validatePodTemplate } from './pod.ts';
import { check, checkContainer, KEY, LABEL, MAIN, SUBDOMAIN } from './testing/pod-problems.ts';

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

test('a deletion cost is a 32-bit integer without a plus sign or leading zeros', () => {
	const COST = 'controller.kubernetes.io/pod-deletion-cost';
	const errorsOf = (text: string): readonly string[] =>
		validateDeletionCost({ [COST]: text }, new FieldPath('metadata.annotations')).map(
			({ field, message }) => `${field}: ${message}`,
		);
	for (const text of ['0', '-5', '-0', '2147483647', '-2147483648', '-007'])
		assert.deepEqual(errorsOf(text), [], text);
	for (const text of ['', '+5', '08', 'x', '2147483648', '-2147483649', '1.5']) {
		const expected = `metadata.annotations[${COST}]: Invalid value: "${text}": must be a 32bit integer`;
		assert.deepEqual(errorsOf(text), [expected]);
	}
	assert.equal(deletionCostOf({ [COST]: '-12' }), -12);
	assert.equal(deletionCostOf({ [COST]: 'x' }), 0);
	const { value } = decode(podTemplateSpecSchema, {
		metadata: { annotations: { [COST]: 'x' } },
		spec: { containers: [] },
	});
	const errors = validatePodTemplate(value, new FieldPath('t')).map(({ field }) => field);
	assert.ok(errors.includes(`t.annotations[${COST}]`));
});
