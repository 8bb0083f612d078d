/**
 * Which container a request for a log or a command means, and whether that container has a log. Both follow from the
 * Pod alone, so the API server answers without a call to the node. The messages are upstream's: `LogLocation` in
 * pkg/registry/core/pod/strategy.go and `validateContainerLogStatus` in pkg/kubelet/kubelet_pods.go.
 */
import type { ContainerState, Pod } from '../../api/core/pod/schema.ts';
import { badRequest } from '../../api/errors/api-error.ts';

/**
 * The container that a request for a log or a command means: `named`, or the only one of the Pod. Throws BadRequest with
 * upstream's messages.
 */
export function requestedContainer({ metadata, spec }: Pod, named: string): string {
	const containers = spec.containers.map(({ name }) => name);
	const initContainers = (spec.initContainers ?? []).map(({ name }) => name);
	if (named !== '') {
		const ephemeral = (spec.ephemeralContainers ?? []).map(({ name }) => name);
		if ([...containers, ...initContainers, ...ephemeral].includes(named)) return named;
		throw badRequest(`container ${named} is not valid for pod ${metadata.name}`);
	}
	const [only, ...others] = containers;
	if (only !== undefined && others.length === 0) return only;
	const init =
		initContainers.length > 0 ? ` or one of the init containers: [${initContainers.join(' ')}]` : '';
	throw badRequest(
		`a container name must be specified for pod ${metadata.name}, choose one of: [${containers.join(' ')}]${init}`,
	);
}

/** Why the container has no log; undefined if it has one. */
export function whyNoLog(
	{ metadata, status }: Pod,
	container: string,
	previous: boolean,
): string | undefined {
	const what = `container "${container}" in pod "${metadata.name}"`;
	const found = [
		...(status.containerStatuses ?? []),
		...(status.initContainerStatuses ?? []),
		...(status.ephemeralContainerStatuses ?? []),
	].find(({ name }) => name === container);
	if (!found) {
		// The Pod has no container statuses yet: the node agent has not started the Pod.
		const isUnreported = !status.containerStatuses?.length && !status.initContainerStatuses?.length;
		return isUnreported ? `${what} is waiting to start: ContainerCreating` : `${what} is not available`;
	}
	const { state, lastState } = found;
	if (previous) {
		return hasRun(lastState) ? undefined : `previous terminated ${what} not found`;
	}
	if (state?.running || hasRun(state) || hasRun(lastState)) return undefined;
	if (state?.terminated || lastState?.terminated) return `${what} is terminated`;
	return state?.waiting
		? `${what} is waiting to start: ${waitingText(state)}`
		: `${what} is waiting to start - no logs yet`;
}

/** A terminated state has a container ID only if the runtime created the container. */
function hasRun(state: ContainerState | undefined): boolean {
	return Boolean(state?.terminated?.containerID);
}

function waitingText({ waiting }: ContainerState): string {
	switch (waiting?.reason) {
		case 'ErrImagePull':
			return "image can't be pulled";
		case 'ImagePullBackOff':
			return 'trying and failing to pull image';
		default:
			return waiting?.reason ?? '';
	}
}
