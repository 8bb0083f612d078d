import {
	boolean,
	type Infer,
	int32,
	int64,
	list,
	map,
	mapList,
	object,
	oneOf,
	optional,
	plain,
	pointer,
	quantity,
	required,
	string,
} from '../../meta/schema.ts';
import { affinitySchema, tolerationSchema, topologySpreadConstraintSchema } from './affinity-schema.ts';
import { containerSchema, ephemeralContainerSchema, resourceRequirementsSchema } from './container-schema.ts';
import { localObjectReferenceSchema } from './reference-schema.ts';
import { podSecurityContextSchema } from './security-schema.ts';
import { volumeSchema } from './volume-schema.ts';

const hostAliasSchema = object('io.k8s.api.core.v1.HostAlias', 'Names for an address, put into /etc/hosts.', {
	ip: required(string, 'The address.'),
	hostnames: optional(list(string), 'The names.'),
});

const podDnsConfigSchema = object('io.k8s.api.core.v1.PodDNSConfig', 'How names are resolved.', {
	nameservers: optional(list(string), 'Further name servers.'),
	searches: optional(list(string), 'Further search domains.'),
	options: optional(
		list(
			object('io.k8s.api.core.v1.PodDNSConfigOption', 'An option of the resolver.', {
				name: optional(string, 'Its name.'),
				value: pointer(string, 'Its value.'),
			}),
		),
		'Options of the resolver.',
	),
});

const readinessGateSchema = object(
	'io.k8s.api.core.v1.PodReadinessGate',
	'A condition that readiness depends on.',
	{
		conditionType: required(string, 'Type of the condition.'),
	},
);

const podOsSchema = object('io.k8s.api.core.v1.PodOS', 'The operating system a Pod needs.', {
	name: required(oneOf('linux', 'windows'), 'Its name.'),
});

const schedulingGateSchema = object(
	'io.k8s.api.core.v1.PodSchedulingGate',
	'Keeps a Pod from being scheduled.',
	{
		name: required(string, 'Name of the gate.'),
	},
);

const podResourceClaimSchema = object('io.k8s.api.core.v1.PodResourceClaim', 'A claim on devices.', {
	name: required(string, 'Name of the claim in the Pod.'),
	resourceClaimName: pointer(string, 'A claim that is there.'),
	resourceClaimTemplateName: pointer(string, 'A template to make the claim from.'),
});

/** Schema of v1.PodSpec. */
export const podSpecSchema = object('io.k8s.api.core.v1.PodSpec', 'What a Pod runs, and how.', {
	volumes: optional(mapList(volumeSchema, ['name'], { retainKeys: true }), 'Places for files.'),
	initContainers: optional(mapList(containerSchema, ['name']), 'Run one after the other before the rest.'),
	containers: required(mapList(containerSchema, ['name']), 'What the Pod runs.'),
	ephemeralContainers: optional(mapList(ephemeralContainerSchema, ['name']), 'Added while it runs.'),
	restartPolicy: optional(
		oneOf('Always', 'OnFailure', 'Never'),
		'When containers that ended are started again.',
	),
	terminationGracePeriodSeconds: optional(int64, 'How long it may take to end by itself.'),
	activeDeadlineSeconds: optional(int64, 'How long it may be active at all.'),
	dnsPolicy: optional(
		oneOf('ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'),
		'How names are resolved.',
	),
	nodeSelector: optional(map(string), 'Labels that its node must have.'),
	serviceAccountName: optional(string, 'The service account it runs as.'),
	serviceAccount: optional(string, 'The older name of serviceAccountName.'),
	automountServiceAccountToken: optional(boolean, 'Whether it is given a token of that account.'),
	nodeName: optional(string, 'The node it runs on, once that is decided.'),
	hostNetwork: plain(boolean, "Whether it uses the node's network."),
	hostPID: plain(boolean, "Whether it sees the node's processes."),
	hostIPC: plain(boolean, "Whether it shares the node's IPC."),
	shareProcessNamespace: optional(boolean, "Whether its containers see each other's processes."),
	securityContext: optional(podSecurityContextSchema, 'With which rights its containers run.'),
	imagePullSecrets: optional(mapList(localObjectReferenceSchema, ['name']), 'Secrets for pulling images.'),
	hostname: optional(string, 'Its host name, where that is not its name.'),
	subdomain: optional(string, 'The domain of its host name.'),
	affinity: optional(affinitySchema, 'Where it may or should run.'),
	schedulerName: optional(string, 'The scheduler that places it.'),
	tolerations: optional(list(tolerationSchema), 'The taints it bears.'),
	hostAliases: optional(mapList(hostAliasSchema, ['ip']), 'Names for addresses.'),
	priorityClassName: optional(string, 'The class of its priority.'),
	priority: optional(int32, 'Its priority.'),
	dnsConfig: optional(podDnsConfigSchema, 'How names are resolved, in detail.'),
	readinessGates: optional(list(readinessGateSchema), 'Conditions that its readiness depends on.'),
	runtimeClassName: pointer(string, 'The class of runtime that runs it.'),
	enableServiceLinks: optional(boolean, 'Whether variables tell it about Services.'),
	preemptionPolicy: pointer(oneOf('Never', 'PreemptLowerPriority'), 'Whether it may push out others.'),
	overhead: optional(map(quantity), 'What the Pod itself needs, beside its containers.'),
	topologySpreadConstraints: optional(
		mapList(topologySpreadConstraintSchema, ['topologyKey', 'whenUnsatisfiable'], {
			mergeKey: 'topologyKey',
		}),
		'How evenly such Pods are to be spread.',
	),
	setHostnameAsFQDN: optional(boolean, 'Whether its host name is the full one.'),
	os: optional(podOsSchema, 'The operating system it needs.'),
	hostUsers: optional(boolean, "Whether it uses the node's user ids."),
	schedulingGates: optional(mapList(schedulingGateSchema, ['name']), 'What keeps it from being scheduled.'),
	resourceClaims: optional(
		mapList(podResourceClaimSchema, ['name'], { retainKeys: true }),
		'Claims on devices.',
	),
	resources: optional(resourceRequirementsSchema, 'What all its containers need and may use together.'),
	hostnameOverride: pointer(string, 'Its host name, whatever else is set.'),
});

/** What a Pod runs, and how. */
export type PodSpec = Infer<typeof podSpecSchema>;
