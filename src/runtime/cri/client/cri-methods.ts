/** The calls of the CRI that are used, as data: the name of each and its messages. */
import {
	AuthConfig,
	CriContainer,
	CriContainerConfig,
	CriContainerStats,
	CriContainerStatus,
	CriImage,
	FilesystemUsage,
	ImageSpec,
	LinuxContainerResources,
	PodSandbox,
	PodSandboxConfig,
	PodSandboxStatus,
	RuntimeHandler,
	RuntimeStatus,
} from './cri-messages.ts';
import {
	flag,
	integer,
	integers,
	message,
	messages,
	text,
	textMap,
	texts,
	type WireFields,
} from './message.ts';

/** A call of the CRI. */
export interface CriMethod<Request extends WireFields, Response extends WireFields> {
	/** The path of the call in gRPC. */
	readonly path: string;
	readonly request: Request;
	readonly response: Response;
	/** How long it may take; undefined: as long as it takes. Default: {@link DEFAULT_MS}. */
	readonly timeoutMs: number | undefined;
}

/** A kubelet's runtimeRequestTimeout. */
const DEFAULT_MS = 120_000;
/** A new sandbox waits for the network, and for the pull of its image: twice as long, as a kubelet. */
const SANDBOX_MS = 2 * DEFAULT_MS;

function runtime<Request extends WireFields, Response extends WireFields>(
	name: string,
	[request, response]: readonly [Request, Response],
	timeoutMs: number | undefined = DEFAULT_MS,
): CriMethod<Request, Response> {
	return { path: `/runtime.v1.RuntimeService/${name}`, request, response, timeoutMs };
}

function image<Request extends WireFields, Response extends WireFields>(
	name: string,
	[request, response]: readonly [Request, Response],
): CriMethod<Request, Response> {
	return { path: `/runtime.v1.ImageService/${name}`, request, response, timeoutMs: DEFAULT_MS };
}

const NOTHING = {};
const SANDBOX_ID = { podSandboxId: text(1) };
const CONTAINER_ID = { containerId: text(1) };
const IMAGE = { image: message(1, ImageSpec) };
/** The address of a stream. */
const URL_ANSWER = { url: text(1) };
const SANDBOX_FILTER = { filter: message(1, { labelSelector: textMap(3) }) };
const CONTAINER_FILTER = { filter: message(1, { labelSelector: textMap(4) }) };
const STATS_FILTER = { filter: message(1, { labelSelector: textMap(3) }) };
const EXEC = {
	containerId: text(1),
	command: texts(2),
	tty: flag(3),
	stdin: flag(4),
	stdout: flag(5),
	stderr: flag(6),
};
const ATTACH = { containerId: text(1), stdin: flag(2), tty: flag(3), stdout: flag(4), stderr: flag(5) };
const CREATE = {
	podSandboxId: text(1),
	config: message(2, CriContainerConfig),
	sandboxConfig: message(3, PodSandboxConfig),
};

/** The calls; see upstream's `api.proto` for what each does. */
export const CRI = {
	version: runtime('Version', [NOTHING, { runtimeName: text(2), runtimeVersion: text(3) }]),
	status: runtime('Status', [
		NOTHING,
		{ status: message(1, RuntimeStatus), handlers: messages(3, RuntimeHandler) },
	]),
	runPodSandbox: runtime('RunPodSandbox', [{ config: message(1, PodSandboxConfig) }, SANDBOX_ID], SANDBOX_MS),
	stopPodSandbox: runtime('StopPodSandbox', [SANDBOX_ID, NOTHING], SANDBOX_MS),
	removePodSandbox: runtime('RemovePodSandbox', [SANDBOX_ID, NOTHING], SANDBOX_MS),
	podSandboxStatus: runtime('PodSandboxStatus', [SANDBOX_ID, { status: message(1, PodSandboxStatus) }]),
	listPodSandbox: runtime('ListPodSandbox', [SANDBOX_FILTER, { items: messages(1, PodSandbox) }]),
	createContainer: runtime('CreateContainer', [CREATE, CONTAINER_ID]),
	startContainer: runtime('StartContainer', [CONTAINER_ID, NOTHING]),
	stopContainer: {
		...runtime('StopContainer', [{ containerId: text(1), timeout: integer(2) }, NOTHING]),
		// It ends with the container.
		timeoutMs: undefined,
	},
	removeContainer: runtime('RemoveContainer', [CONTAINER_ID, NOTHING]),
	listContainers: runtime('ListContainers', [CONTAINER_FILTER, { containers: messages(1, CriContainer) }]),
	containerStatus: runtime('ContainerStatus', [
		{ containerId: text(1), verbose: flag(2) },
		{ status: message(1, CriContainerStatus), info: textMap(2) },
	]),
	updateContainerResources: runtime('UpdateContainerResources', [
		{ containerId: text(1), linux: message(2, LinuxContainerResources) },
		NOTHING,
	]),
	reopenContainerLog: runtime('ReopenContainerLog', [CONTAINER_ID, NOTHING]),
	exec: runtime('Exec', [EXEC, URL_ANSWER]),
	attach: runtime('Attach', [ATTACH, URL_ANSWER]),
	portForward: runtime('PortForward', [{ podSandboxId: text(1), ports: integers(2) }, URL_ANSWER]),
	listContainerStats: runtime('ListContainerStats', [
		STATS_FILTER,
		{ stats: messages(1, CriContainerStats) },
	]),
	getContainerEvents: runtime('GetContainerEvents', [NOTHING, { containerId: text(1), type: integer(2) }]),
	imageStatus: image('ImageStatus', [IMAGE, { image: message(1, CriImage) }]),
	listImages: image('ListImages', [NOTHING, { images: messages(1, CriImage) }]),
	pullImage: {
		...image('PullImage', [
			{ image: message(1, ImageSpec), auth: message(2, AuthConfig) },
			{ imageRef: text(1) },
		]),
		// A kubelet's pull has no end either, except by want of progress in the runtime.
		timeoutMs: undefined,
	},
	removeImage: image('RemoveImage', [IMAGE, NOTHING]),
	imageFsInfo: image('ImageFsInfo', [NOTHING, { imageFilesystems: messages(1, FilesystemUsage) }]),
} as const;
