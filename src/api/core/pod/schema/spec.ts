import {
	boolean,
	type Infer,
	int32,
	int64,
	list,
	map,
	mapList,
	nullable,
	object,
	omitZero,
	oneOf,
	optional,
	quantity,
	required,
	string,
} from '../../../schema/schema.ts';
import { affinitySchema, tolerationSchema, topologySpreadConstraintSchema } from './affinity.ts';
import { containerSchema, ephemeralContainerSchema, resourceRequirementsSchema } from './container.ts';
import { localObjectReferenceSchema } from './reference.ts';
import { podSecurityContextSchema } from './security.ts';
import { volumeSchema } from './volume.ts';

const hostAliasSchema = object(
	'io.k8s.api.core.v1.HostAlias',
	"Host names for one IP address, which are added to the Pod's /etc/hosts.",
	{
		ip: required(string, 'IP address that the host names resolve to.'),
		hostnames: optional(list(string), 'Host names that resolve to the address.'),
	},
);

const podDnsConfigSchema = object(
	'io.k8s.api.core.v1.PodDNSConfig',
	'DNS settings of a Pod, in addition to those that dnsPolicy generates.',
	{
		nameservers: optional(
			list(string),
			'IP addresses of further DNS servers, at most 3. At least one is required with dnsPolicy None.',
		),
		searches: optional(list(string), 'Further DNS search domains, at most 32.'),
		options: optional(
			list(
				object('io.k8s.api.core.v1.PodDNSConfigOption', 'Option of the DNS resolver, as in resolv.conf.', {
					name: optional(string, 'Name of the resolver option. Required.'),
					value: nullable(string, 'Value of the resolver option. Default: none.'),
				}),
			),
			'Further options of the DNS resolver.',
		),
	},
);

const evictionResponderSchema = object(
	'io.k8s.api.core.v1.EvictionResponder',
	'Component that reacts to evictions of a Pod.',
	{
		name: required(string, 'Name of the responder, with a domain as prefix.'),
		priority: required(int32, 'Priority, 0 to 100000. Responders with a higher one react first.'),
	},
);

const readinessGateSchema = object(
	'io.k8s.api.core.v1.PodReadinessGate',
	'Condition that must be True for the Pod to be ready.',
	{
		conditionType: required(string, 'Type of a condition in status.conditions.'),
	},
);

const podOsSchema = object('io.k8s.api.core.v1.PodOS', 'Operating system that a Pod is built for.', {
	name: required(
		oneOf('linux', 'windows'),
		'Name of the operating system: linux or windows. A node with another one rejects the Pod.',
	),
});

const schedulingGateSchema = object(
	'io.k8s.api.core.v1.PodSchedulingGate',
	'Gate that keeps the scheduler from placing the Pod until it is removed.',
	{
		name: required(string, 'Name of the gate, unique in the list.'),
	},
);

const podResourceClaimSchema = object(
	'io.k8s.api.core.v1.PodResourceClaim',
	'Reference to a ResourceClaim. Exactly one of resourceClaimName and resourceClaimTemplateName must be set.',
	{
		name: required(string, 'Name by which containers refer to the claim: a DNS label, unique in the Pod.'),
		resourceClaimName: nullable(string, "Name of an existing ResourceClaim in the Pod's namespace."),
		resourceClaimTemplateName: nullable(
			string,
			"Name of a ResourceClaimTemplate in the Pod's namespace, from which a claim is created for the Pod.",
		),
	},
);

/** Schema of v1.PodSpec. */
export const podSpecSchema = object('io.k8s.api.core.v1.PodSpec', 'Desired behaviour of a Pod.', {
	volumes: optional(
		mapList(volumeSchema, ['name'], { retainKeys: true }),
		'Volumes that the containers of the Pod can mount.',
	),
	initContainers: optional(
		mapList(containerSchema, ['name']),
		'Containers that run to completion one after the other, before the regular containers start. One with restartPolicy Always is a sidecar and keeps running.',
	),
	containers: required(
		mapList(containerSchema, ['name']),
		'Containers of the Pod, at least one. Containers cannot be added or removed after the creation.',
	),
	ephemeralContainers: optional(
		mapList(ephemeralContainerSchema, ['name']),
		'Containers that were added to the running Pod for debugging. Cannot be set at the creation.',
	),
	restartPolicy: optional(
		oneOf('Always', 'OnFailure', 'Never'),
		'When exited containers are restarted: Always (the default), OnFailure (exit code other than 0) or Never. Pods of a Job need OnFailure or Never.',
	),
	terminationGracePeriodSeconds: optional(
		int64,
		'Seconds between the signal to stop and SIGKILL when the Pod is deleted. 0 kills at once. Default 30.',
	),
	activeDeadlineSeconds: optional(
		int64,
		'Seconds after status.startTime at which the Pod is failed and its containers are stopped. Default: no limit.',
	),
	dnsPolicy: optional(
		oneOf('ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'),
		'Source of the DNS settings: ClusterFirst (the default), ClusterFirstWithHostNet, Default (those of the node) or None (dnsConfig alone).',
	),
	nodeSelector: optional(map(string), 'Labels that a Node must have for the Pod to be scheduled to it.'),
	serviceAccountName: optional(string, 'Name of the ServiceAccount that the Pod runs as.'),
	serviceAccount: optional(string, 'Deprecated alias of serviceAccountName; both have the same value.'),
	automountServiceAccountToken: optional(
		boolean,
		'Whether a token of the ServiceAccount is mounted in the containers. Default: the setting of the ServiceAccount.',
	),
	nodeName: optional(
		string,
		'Name of the Node that the Pod is bound to. The scheduler sets it; a Pod that is created with it bypasses the scheduler.',
	),
	hostNetwork: omitZero(boolean, 'If true, the Pod uses the network of the node. Default false.'),
	hostPID: omitZero(boolean, 'If true, the Pod uses the process namespace of the node. Default false.'),
	hostIPC: omitZero(boolean, 'If true, the Pod uses the IPC namespace of the node. Default false.'),
	shareProcessNamespace: optional(
		boolean,
		'If true, the containers of the Pod share one process namespace. Cannot be combined with hostPID. Default false.',
	),
	securityContext: optional(
		podSecurityContextSchema,
		'Security settings of the Pod, and defaults for those of its containers.',
	),
	imagePullSecrets: optional(
		mapList(localObjectReferenceSchema, ['name']),
		"Secrets with credentials for pulling images, in the Pod's namespace.",
	),
	hostname: optional(string, 'Host name of the Pod: a DNS label. Default: the name of the Pod.'),
	subdomain: optional(
		string,
		"Subdomain of the Pod's host name: the full name is <hostname>.<subdomain>.<namespace>.svc.<cluster domain>.",
	),
	affinity: optional(affinitySchema, 'Rules for scheduling the Pod, by Nodes and by other Pods.'),
	schedulerName: optional(string, 'Name of the scheduler that places the Pod. Default default-scheduler.'),
	tolerations: optional(
		list(tolerationSchema),
		'Taints of Nodes that the Pod tolerates. After the creation tolerations can only be added.',
	),
	hostAliases: optional(
		mapList(hostAliasSchema, ['ip']),
		"Host names that are added to the Pod's /etc/hosts.",
	),
	priorityClassName: optional(
		string,
		"Name of the PriorityClass that sets the Pod's priority. Default: the class that is the global default, if there is one.",
	),
	priority: optional(
		int32,
		'Priority of the Pod; higher values are scheduled first. It is set from priorityClassName and cannot be chosen freely.',
	),
	dnsConfig: optional(podDnsConfigSchema, 'DNS settings, which are merged with those of dnsPolicy.'),
	readinessGates: optional(
		list(readinessGateSchema),
		'Conditions that must be True, besides ready containers, for the Pod to be ready.',
	),
	runtimeClassName: nullable(
		string,
		'Name of the RuntimeClass that the Pod runs with. Default: the runtime of the node.',
	),
	enableServiceLinks: optional(
		boolean,
		'Whether environment variables with the addresses of Services are added to the containers. Default true.',
	),
	preemptionPolicy: nullable(
		oneOf('Never', 'PreemptLowerPriority'),
		'Whether the scheduler may delete Pods of lower priority to make room for this one: PreemptLowerPriority (the default) or Never.',
	),
	overhead: optional(
		map(quantity),
		'Resources that the Pod itself uses in addition to its containers. Set from the RuntimeClass.',
	),
	topologySpreadConstraints: optional(
		mapList(topologySpreadConstraintSchema, ['topologyKey', 'whenUnsatisfiable'], {
			mergeKey: 'topologyKey',
		}),
		'Limits on how unevenly Pods like this one are distributed over topology domains. All of them must be satisfied.',
	),
	setHostnameAsFQDN: optional(
		boolean,
		'If true, the host name of the containers is the fully qualified one. Default false.',
	),
	os: optional(
		podOsSchema,
		'Operating system that the Pod is built for. Default: no check against that of the node.',
	),
	hostUsers: optional(
		boolean,
		'If false, the Pod gets a user namespace of its own, in which its user ids are not those of the node. Default true.',
	),
	schedulingGates: optional(
		mapList(schedulingGateSchema, ['name']),
		'Gates that keep the scheduler from placing the Pod. They can be set at the creation only, and removed later.',
	),
	resourceClaims: optional(
		mapList(podResourceClaimSchema, ['name'], { retainKeys: true }),
		'ResourceClaims that must be allocated before the Pod starts. Containers refer to them in resources.claims.',
	),
	resources: optional(
		resourceRequirementsSchema,
		'Compute resources of the Pod as a whole: cpu, memory and huge pages. Default: the sum over its containers.',
	),
	hostnameOverride: nullable(
		string,
		"Host name of the Pod, in place of those that follow from hostname, subdomain and the Pod's name: at most 64 characters.",
	),
	schedulingGroup: optional(
		object('io.k8s.api.core.v1.PodSchedulingGroup', 'Group with which a Pod is scheduled.', {
			podGroupName: nullable(string, 'Name of the PodGroup.'),
		}),
		'Group with which the Pod is scheduled. The feature of this field is off, so the field is dropped.',
	),
	evictionResponders: optional(
		mapList(evictionResponderSchema, ['name']),
		'Components that react to evictions of the Pod. The feature of this field is off, so the field is dropped.',
	),
});

/** Desired behaviour of a Pod. */
export type PodSpec = Infer<typeof podSpecSchema>;
