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
	oneOf,
	optional,
	plain,
	quantity,
	required,
	setList,
	string,
	time,
	timeOrNull,
} from '../../meta/schema.ts';

const taintSchema = object(
	'io.k8s.api.core.v1.Taint',
	'Keeps Pods off a node, those that tolerate it excepted.',
	{
		key: required(string, 'Key of the taint.'),
		value: optional(string, 'Value of the taint.'),
		effect: required(oneOf('NoSchedule', 'PreferNoSchedule', 'NoExecute'), 'What it does.'),
		timeAdded: optional(time, 'When it was added.'),
	},
);

/** Keeps Pods off a node, those that tolerate it excepted. */
export type Taint = Infer<typeof taintSchema>;

const nodeConfigSourceSchema = object(
	'io.k8s.api.core.v1.NodeConfigSource',
	'Where a node had its settings from; no longer in use.',
	{
		configMap: optional(
			object('io.k8s.api.core.v1.ConfigMapNodeConfigSource', 'A ConfigMap with settings.', {
				namespace: required(string, 'Namespace of the ConfigMap.'),
				name: required(string, 'Name of the ConfigMap.'),
				uid: optional(string, 'UID of the ConfigMap.'),
				resourceVersion: optional(string, 'Version of the ConfigMap.'),
				kubeletConfigKey: required(string, 'The key with the settings.'),
			}),
			'A ConfigMap.',
		),
	},
);

const nodeSpecSchema = object('io.k8s.api.core.v1.NodeSpec', 'How a node is to be used.', {
	podCIDR: optional(string, 'The addresses of its Pods.'),
	podCIDRs: optional(setList(string, { patch: 'merge' }), 'The same, by address family.'),
	providerID: optional(string, 'What its provider calls it.'),
	unschedulable: plain(boolean, 'Whether new Pods are kept off it.'),
	taints: optional(list(taintSchema), 'What keeps Pods off it.'),
	configSource: optional(nodeConfigSourceSchema, 'No longer in use.'),
	externalID: optional(string, 'No longer in use.'),
});

const nodeConditionSchema = object('io.k8s.api.core.v1.NodeCondition', 'One aspect of how a node is doing.', {
	type: required(string, 'Which aspect.'),
	status: required(oneOf('True', 'False', 'Unknown'), 'True, False or Unknown.'),
	lastHeartbeatTime: always(timeOrNull, 'When it was last said.'),
	lastTransitionTime: always(timeOrNull, 'When it changed last.'),
	reason: optional(string, 'Why, in a word.'),
	message: optional(string, 'Why, in a sentence.'),
});

/** One aspect of how a node is doing. */
export type NodeCondition = Infer<typeof nodeConditionSchema>;

const nodeAddressSchema = object('io.k8s.api.core.v1.NodeAddress', 'An address of a node.', {
	type: required(
		oneOf('Hostname', 'InternalIP', 'ExternalIP', 'InternalDNS', 'ExternalDNS'),
		'Of what kind.',
	),
	address: required(string, 'The address.'),
});

const nodeSystemInfoSchema = object('io.k8s.api.core.v1.NodeSystemInfo', 'What a node runs.', {
	machineID: required(string, 'Id of the machine.'),
	systemUUID: required(string, 'Id of the hardware.'),
	bootID: required(string, 'Id of this boot.'),
	kernelVersion: required(string, 'Version of the kernel.'),
	osImage: required(string, 'The operating system.'),
	containerRuntimeVersion: required(string, 'The runtime of containers.'),
	kubeletVersion: required(string, 'Version of the node agent.'),
	kubeProxyVersion: required(string, 'No longer in use.'),
	operatingSystem: required(string, 'linux or another.'),
	architecture: required(string, 'amd64 or another.'),
	swap: optional(
		object('io.k8s.api.core.v1.NodeSwapStatus', 'The swap of a node.', {
			capacity: optional(int64, 'How many bytes.'),
		}),
		'How much swap it has.',
	),
});

const containerImageSchema = object('io.k8s.api.core.v1.ContainerImage', 'An image that a node has.', {
	names: optional(list(string), 'Its names.'),
	sizeBytes: plain(int64, 'Its size.'),
});

const daemonEndpointSchema = object('io.k8s.api.core.v1.DaemonEndpoint', 'Where a service listens.', {
	Port: required(int32, 'The port.'),
});

const nodeStatusSchema = object('io.k8s.api.core.v1.NodeStatus', 'How a node is doing.', {
	capacity: optional(map(quantity), 'What it has.'),
	allocatable: optional(map(quantity), 'What Pods may use of it.'),
	phase: optional(string, 'No longer in use.'),
	conditions: optional(mapList(nodeConditionSchema, ['type']), 'How it is doing, by aspect.'),
	addresses: optional(mapList(nodeAddressSchema, ['type']), 'Its addresses.'),
	daemonEndpoints: always(
		object('io.k8s.api.core.v1.NodeDaemonEndpoints', 'Where its services listen.', {
			kubeletEndpoint: always(daemonEndpointSchema, 'The node agent.'),
		}),
		'Where its services listen.',
	),
	nodeInfo: always(nodeSystemInfoSchema, 'What it runs.'),
	images: optional(list(containerImageSchema), 'The images it has.'),
	volumesInUse: optional(list(string), 'Volumes in use on it.'),
	volumesAttached: optional(
		list(
			object('io.k8s.api.core.v1.AttachedVolume', 'A volume attached to a node.', {
				name: required(string, 'The volume.'),
				devicePath: required(string, 'Where it appears.'),
			}),
		),
		'Volumes attached to it.',
	),
	config: optional(
		object('io.k8s.api.core.v1.NodeConfigStatus', 'Which settings are in force; no longer in use.', {
			assigned: optional(nodeConfigSourceSchema, 'Those to be used.'),
			active: optional(nodeConfigSourceSchema, 'Those in use.'),
			lastKnownGood: optional(nodeConfigSourceSchema, 'Those that worked.'),
			error: optional(string, 'What went wrong.'),
		}),
		'No longer in use.',
	),
	runtimeHandlers: optional(
		list(
			object('io.k8s.api.core.v1.NodeRuntimeHandler', 'A way to run containers.', {
				name: required(string, 'Its name; empty for the usual one.'),
				features: optional(
					object('io.k8s.api.core.v1.NodeRuntimeHandlerFeatures', 'What a runtime can do.', {
						recursiveReadOnlyMounts: optional(boolean, 'Whether mounts can be read-only throughout.'),
						userNamespaces: optional(boolean, 'Whether Pods can have their own user ids.'),
					}),
					'What it can do.',
				),
			}),
		),
		'The ways it runs containers.',
	),
	features: optional(
		object('io.k8s.api.core.v1.NodeFeatures', 'What the runtime of a node can do.', {
			supplementalGroupsPolicy: optional(boolean, 'Whether it heeds supplementalGroupsPolicy.'),
		}),
		'What its runtime can do.',
	),
	declaredFeatures: optional(list(string), 'Features it declares.'),
});

/** Schema of v1.Node. */
export const nodeSchema = object('io.k8s.api.core.v1.Node', 'A machine that runs Pods.', {
	apiVersion: required(string, 'Version of the API: v1.'),
	kind: required(string, 'Kind of the object: Node.'),
	metadata: required(objectMetaSchema, 'Names, labels, owners.'),
	spec: required(nodeSpecSchema, 'How it is to be used.'),
	status: required(nodeStatusSchema, 'How it is doing.'),
});

/** A machine that runs Pods. */
export type Node = Infer<typeof nodeSchema>;
