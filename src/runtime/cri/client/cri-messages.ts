/**
 * The messages of the CRI, `runtime.v1`: those that are used, with the fields that are used. Numbers and names are those of
 * upstream's `api.proto` (k8s.io/cri-api), which never change their meaning.
 */
import { flag, integer, integers, message, messages, text, textMap, texts } from './message.ts';

const IntegerValue = { value: integer(1) };

/** Whose namespace a container has. */
export const NAMESPACE = { pod: 0, container: 1, node: 2, target: 3 } as const;
/** Kinds of profiles of seccomp and AppArmor. */
export const PROFILE = { runtimeDefault: 0, unconfined: 1, localhost: 2 } as const;
/** Propagation of mounts. */
export const PROPAGATION = { None: 0, HostToContainer: 1, Bidirectional: 2 } as const;
/** Protocols of ports. */
export const PORT_PROTOCOL = { TCP: 0, UDP: 1, SCTP: 2 } as const;
/** The state of a sandbox that is ready; all others are not. */
export const SANDBOX_READY = 0;
/** States of a container. */
export const CONTAINER = { created: 0, running: 1, exited: 2, unknown: 3 } as const;

const RuntimeCondition = { type: text(1), status: flag(2), reason: text(3), message: text(4) };
/** Whether the runtime and its network are ready. */
export const RuntimeStatus = { conditions: messages(1, RuntimeCondition) };
/** A way to run containers, with what it is able to do. */
export const RuntimeHandler = { name: text(1), features: message(2, { recursiveReadOnlyMounts: flag(1) }) };

const NamespaceOption = { network: integer(1), pid: integer(2), ipc: integer(3), targetId: text(4) };
const SecurityProfile = { type: integer(1), localhostRef: text(2) };

/** The resources of a container. */
export const LinuxContainerResources = {
	cpuPeriod: integer(1),
	cpuQuota: integer(2),
	cpuShares: integer(3),
	memoryLimitInBytes: integer(4),
	oomScoreAdj: integer(5),
};

const PodSandboxMetadata = { name: text(1), uid: text(2), namespace: text(3), attempt: integer(4) };
const DnsConfig = { servers: texts(1), searches: texts(2), options: texts(3) };
const CriPortMapping = {
	protocol: integer(1),
	containerPort: integer(2),
	hostPort: integer(3),
	hostIp: text(4),
};
const SandboxSecurityContext = {
	namespaceOptions: message(1, NamespaceOption),
	runAsUser: message(3, IntegerValue),
	supplementalGroups: integers(5),
	privileged: flag(6),
	runAsGroup: message(8, IntegerValue),
	seccomp: message(9, SecurityProfile),
};
const LinuxPodSandboxConfig = {
	cgroupParent: text(1),
	securityContext: message(2, SandboxSecurityContext),
	sysctls: textMap(3),
};
/** What is given about a sandbox. */
export const PodSandboxConfig = {
	metadata: message(1, PodSandboxMetadata),
	hostname: text(2),
	logDirectory: text(3),
	dnsConfig: message(4, DnsConfig),
	portMappings: messages(5, CriPortMapping),
	labels: textMap(6),
	annotations: textMap(7),
	linux: message(8, LinuxPodSandboxConfig),
};

const SandboxNetwork = { ip: text(1) };
/** The status of a sandbox. */
export const PodSandboxStatus = {
	id: text(1),
	state: integer(3),
	createdAt: integer(4),
	network: message(5, SandboxNetwork),
};

/** A sandbox in a list. */
export const PodSandbox = {
	id: text(1),
	state: integer(3),
	createdAt: integer(4),
	labels: textMap(5),
	annotations: textMap(6),
};

/** The name or id of an image, and how the Pod names it. */
export const ImageSpec = { image: text(1), userSpecifiedImage: text(18) };
const KeyValue = { key: text(1), value: text(2) };
/** A mount of a container. */
export const CriMount = {
	containerPath: text(1),
	hostPath: text(2),
	readonly: flag(3),
	propagation: integer(5),
	recursiveReadOnly: flag(8),
};
const CriDevice = { containerPath: text(1), hostPath: text(2), permissions: text(3) };
const Capability = { add: texts(1), drop: texts(2) };
/** The security settings of a container. */
export const ContainerSecurityContext = {
	capabilities: message(1, Capability),
	privileged: flag(2),
	namespaceOptions: message(3, NamespaceOption),
	runAsUser: message(5, IntegerValue),
	runAsUsername: text(6),
	readonlyRootfs: flag(7),
	supplementalGroups: integers(8),
	apparmorProfile: text(9),
	noNewPrivs: flag(11),
	runAsGroup: message(12, IntegerValue),
	maskedPaths: texts(13),
	readonlyPaths: texts(14),
	seccomp: message(15, SecurityProfile),
	apparmor: message(16, SecurityProfile),
};
const LinuxContainerConfig = {
	resources: message(1, LinuxContainerResources),
	securityContext: message(2, ContainerSecurityContext),
};
const ContainerMetadata = { name: text(1), attempt: integer(2) };
/** What is given about a container. */
export const CriContainerConfig = {
	metadata: message(1, ContainerMetadata),
	image: message(2, ImageSpec),
	command: texts(3),
	args: texts(4),
	workingDir: text(5),
	envs: messages(6, KeyValue),
	mounts: messages(7, CriMount),
	devices: messages(8, CriDevice),
	labels: textMap(9),
	annotations: textMap(10),
	logPath: text(11),
	stdin: flag(12),
	stdinOnce: flag(13),
	tty: flag(14),
	linux: message(15, LinuxContainerConfig),
};

/** A container in a list. */
export const CriContainer = {
	id: text(1),
	podSandboxId: text(2),
	image: message(4, ImageSpec),
	imageRef: text(5),
	state: integer(6),
	createdAt: integer(7),
	labels: textMap(8),
	annotations: textMap(9),
	imageId: text(10),
};

/** The status of a container. Its times are in ns since the epoch, 0 for never. */
export const CriContainerStatus = {
	id: text(1),
	state: integer(3),
	createdAt: integer(4),
	startedAt: integer(5),
	finishedAt: integer(6),
	exitCode: integer(7),
	reason: text(10),
	message: text(11),
};

/** A file system, and how much of it is used. */
export const FilesystemUsage = {
	fsId: message(2, { mountpoint: text(1) }),
	usedBytes: message(3, IntegerValue),
};
const CpuUsage = { timestamp: integer(1), usageCoreNanoSeconds: message(2, IntegerValue) };
const MemoryUsage = { workingSetBytes: message(2, IntegerValue), usageBytes: message(4, IntegerValue) };
/** What a container uses. */
export const CriContainerStats = {
	attributes: message(1, { id: text(1) }),
	cpu: message(2, CpuUsage),
	memory: message(3, MemoryUsage),
	writableLayer: message(4, FilesystemUsage),
};

/** An image of the runtime. */
export const CriImage = {
	id: text(1),
	repoTags: texts(2),
	repoDigests: texts(3),
	size: integer(4),
	uid: message(5, IntegerValue),
	username: text(6),
	pinned: flag(8),
};
/** Credentials for a registry. */
export const AuthConfig = {
	username: text(1),
	password: text(2),
	serverAddress: text(4),
	identityToken: text(5),
	registryToken: text(6),
};
