/**
 * Schema of v1.Node. It has every field of upstream's type, including the deprecated ones, so that objects
 * written by other clients are stored unchanged; stint's node agent fills in only part of the status.
 */

import { objectMetaSchema } from '../../meta/object-meta.ts';
import {
	always,
	boolean,
	type Infer,
	int32,
	int64,
	list,
	map,
	mapList,
	object,
	omitZero,
	oneOf,
	optional,
	quantity,
	required,
	setList,
	string,
	time,
	timeOrNull,
} from '../../schema/schema.ts';

const taintSchema = object(
	'io.k8s.api.core.v1.Taint',
	'Mark on a Node that repels the Pods that do not tolerate it.',
	{
		key: required(string, 'Key of the taint: a qualified name.'),
		value: optional(string, 'Value of the taint. Default empty.'),
		effect: required(
			oneOf('NoSchedule', 'PreferNoSchedule', 'NoExecute'),
			'NoSchedule keeps new Pods off the Node, PreferNoSchedule avoids the Node if possible, NoExecute also evicts running Pods.',
		),
		timeAdded: optional(time, 'Time at which the taint was added.'),
	},
);

/** Mark on a Node that repels the Pods that do not tolerate it. */
export type Taint = Infer<typeof taintSchema>;

const nodeConfigSourceSchema = object(
	'io.k8s.api.core.v1.NodeConfigSource',
	"Deprecated: source of the node agent's configuration. Ignored.",
	{
		configMap: optional(
			object(
				'io.k8s.api.core.v1.ConfigMapNodeConfigSource',
				"Reference to a ConfigMap with the node agent's configuration.",
				{
					namespace: required(string, 'Namespace of the ConfigMap.'),
					name: required(string, 'Name of the ConfigMap.'),
					uid: optional(string, 'UID of the ConfigMap.'),
					resourceVersion: optional(string, 'Resource version of the ConfigMap.'),
					kubeletConfigKey: required(string, 'Key of the ConfigMap that contains the configuration.'),
				},
			),
			"ConfigMap with the node agent's configuration.",
		),
	},
);

const nodeSpecSchema = object('io.k8s.api.core.v1.NodeSpec', 'Desired state of a Node.', {
	podCIDR: optional(
		string,
		'Range of IP addresses for the Pods of the Node. Equal to the first of podCIDRs.',
	),
	podCIDRs: optional(
		setList(string, { patch: 'merge' }),
		'Ranges of IP addresses for the Pods of the Node, at most one of each IP family. Cannot be changed once set.',
	),
	providerID: optional(
		string,
		'Identifier of the machine at its cloud provider, as <provider>://<id>. Cannot be changed once set.',
	),
	unschedulable: omitZero(boolean, 'If true, no new Pods are scheduled to the Node. Default false.'),
	taints: optional(list(taintSchema), 'Taints of the Node, which repel the Pods that do not tolerate them.'),
	configSource: optional(
		nodeConfigSourceSchema,
		"Deprecated: source of the node agent's configuration. Ignored.",
	),
	externalID: optional(string, 'Deprecated: external identifier of the Node. Ignored.'),
});

const nodeConditionSchema = object(
	'io.k8s.api.core.v1.NodeCondition',
	"Latest observation of one aspect of a Node's state.",
	{
		type: required(
			string,
			'Type of the condition, such as Ready, MemoryPressure, DiskPressure or PIDPressure.',
		),
		status: required(
			oneOf('True', 'False', 'Unknown'),
			'Whether the condition holds: True, False or Unknown (the node agent does not report).',
		),
		lastHeartbeatTime: always(timeOrNull, 'Time at which the node agent last reported the condition.'),
		lastTransitionTime: always(timeOrNull, 'Time at which the status of the condition last changed.'),
		reason: optional(string, 'Reason for the last change, in CamelCase.'),
		message: optional(string, 'Details of the last change, for humans.'),
	},
);

/** Latest observation of one aspect of a Node's state. */
export type NodeCondition = Infer<typeof nodeConditionSchema>;

const nodeAddressSchema = object('io.k8s.api.core.v1.NodeAddress', 'Address of a Node, with its type.', {
	type: required(
		oneOf('Hostname', 'InternalIP', 'ExternalIP', 'InternalDNS', 'ExternalDNS'),
		'Type of the address: Hostname, InternalIP, ExternalIP, InternalDNS or ExternalDNS.',
	),
	address: required(string, 'IP address or host name.'),
});

const nodeSystemInfoSchema = object(
	'io.k8s.api.core.v1.NodeSystemInfo',
	'Identification and software versions of a Node.',
	{
		machineID: required(string, 'Identifier of the machine, from /etc/machine-id on Linux.'),
		systemUUID: required(string, 'UUID of the hardware, as the firmware reports it.'),
		bootID: required(string, 'Identifier of the present boot; it changes at every reboot.'),
		kernelVersion: required(string, "Version of the operating system's kernel."),
		osImage: required(string, 'Name and version of the operating system, from /etc/os-release on Linux.'),
		containerRuntimeVersion: required(
			string,
			'Name and version of the container runtime, as <runtime>://<version>.',
		),
		kubeletVersion: required(string, 'Version of the node agent.'),
		kubeProxyVersion: required(string, 'Deprecated: version of kube-proxy on the Node.'),
		operatingSystem: required(string, 'Operating system of the Node, such as linux.'),
		architecture: required(string, 'Processor architecture of the Node, such as amd64.'),
		swap: optional(
			object('io.k8s.api.core.v1.NodeSwapStatus', 'Swap space of a Node.', {
				capacity: optional(int64, 'Size of the swap space in bytes.'),
			}),
			'Swap space of the Node. Absent if it is unknown.',
		),
	},
);

const containerImageSchema = object(
	'io.k8s.api.core.v1.ContainerImage',
	'Container image that is present on a Node.',
	{
		names: optional(list(string), 'Names by which the image is known, with tag or digest.'),
		sizeBytes: omitZero(int64, 'Size of the image in bytes.'),
	},
);

const daemonEndpointSchema = object('io.k8s.api.core.v1.DaemonEndpoint', 'Endpoint of a daemon on a Node.', {
	Port: required(int32, 'TCP port that the daemon listens on.'),
});

const nodeStatusSchema = object(
	'io.k8s.api.core.v1.NodeStatus',
	'Observed state of a Node, written by its node agent.',
	{
		capacity: optional(map(quantity), 'Total amount of each resource of the Node, by its name.'),
		allocatable: optional(
			map(quantity),
			'Amount of each resource that Pods can use, by its name. Default: capacity.',
		),
		phase: optional(string, 'Deprecated: phase of the Node. Never set.'),
		conditions: optional(
			mapList(nodeConditionSchema, ['type']),
			"Latest observations of the Node's state, such as Ready or MemoryPressure.",
		),
		addresses: optional(mapList(nodeAddressSchema, ['type']), 'Addresses at which the Node can be reached.'),
		daemonEndpoints: always(
			object('io.k8s.api.core.v1.NodeDaemonEndpoints', 'Endpoints of the daemons on a Node.', {
				kubeletEndpoint: always(daemonEndpointSchema, 'Endpoint of the node agent.'),
			}),
			'Endpoints of the daemons on the Node.',
		),
		nodeInfo: always(nodeSystemInfoSchema, 'Identification and software versions of the Node.'),
		images: optional(list(containerImageSchema), 'Container images that are present on the Node.'),
		volumesInUse: optional(list(string), 'Names of attachable volumes that Pods on the Node have mounted.'),
		volumesAttached: optional(
			list(
				object('io.k8s.api.core.v1.AttachedVolume', 'Volume that is attached to a Node.', {
					name: required(string, 'Name of the attached volume.'),
					devicePath: required(string, 'Path of the device on the Node.'),
				}),
			),
			'Volumes that are attached to the Node.',
		),
		config: optional(
			object(
				'io.k8s.api.core.v1.NodeConfigStatus',
				'Deprecated: state of the configuration from configSource. Never set.',
				{
					assigned: optional(nodeConfigSourceSchema, 'Configuration that the node agent is asked to use.'),
					active: optional(nodeConfigSourceSchema, 'Configuration that the node agent uses.'),
					lastKnownGood: optional(nodeConfigSourceSchema, 'Configuration that the node agent falls back to.'),
					error: optional(string, 'Error that kept the node agent from using the assigned configuration.'),
				},
			),
			'Deprecated: state of the configuration from configSource. Never set.',
		),
		runtimeHandlers: optional(
			list(
				object(
					'io.k8s.api.core.v1.NodeRuntimeHandler',
					'Handler of the container runtime, which RuntimeClasses refer to.',
					{
						name: required(string, 'Name of the handler. Empty for the default handler.'),
						features: optional(
							object(
								'io.k8s.api.core.v1.NodeRuntimeHandlerFeatures',
								'Features that a handler of the container runtime supports.',
								{
									recursiveReadOnlyMounts: optional(
										boolean,
										'Whether mounts can be made read-only recursively.',
									),
									userNamespaces: optional(boolean, 'Whether Pods can have a user namespace of their own.'),
								},
							),
							'Features that the handler supports.',
						),
					},
				),
			),
			'Handlers that the container runtime of the Node offers.',
		),
		features: optional(
			object('io.k8s.api.core.v1.NodeFeatures', 'Features that the container runtime of a Node supports.', {
				supplementalGroupsPolicy: optional(
					boolean,
					'Whether the runtime applies supplementalGroupsPolicy and reports the user of containers.',
				),
			}),
			'Features that the container runtime supports.',
		),
		declaredFeatures: optional(
			list(string),
			'Names of features that the node agent supports, for schedulers that place Pods by them.',
		),
	},
);

/** Schema of v1.Node. */
export const nodeSchema = object('io.k8s.api.core.v1.Node', 'Machine of the cluster that runs Pods.', {
	apiVersion: required(string, 'Version of the API: v1.'),
	kind: required(string, 'Kind of the object: Node.'),
	metadata: required(
		objectMetaSchema,
		'Standard object metadata: name, labels, annotations, owner references.',
	),
	spec: required(nodeSpecSchema, 'Desired state of the Node.'),
	status: required(nodeStatusSchema, 'Observed state of the Node, written by its node agent.'),
});

/** Machine of the cluster that runs Pods. */
export type Node = Infer<typeof nodeSchema>;
