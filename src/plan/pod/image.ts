import type { RuntimeTraits } from '../../api/contract/runtime-traits.ts';
import type { EventText } from '../../api/core/event/event-text.ts';
import type { Container } from '../../api/core/pod/schema.ts';

/**
 * What the node agent does about a container's image before it creates the container, and the kubelet's events about
 * it (upstream: `EnsureImageExists` in pkg/kubelet/images/image_manager.go).
 */

/** The next step; the agent records `event` first. */
export type ImageStep =
	/** The container can be created. */
	| { readonly kind: 'use'; readonly event: EventText }
	| { readonly kind: 'pull'; readonly event: EventText }
	/** The start fails with the reason of the event, which becomes the container's waiting reason. */
	| { readonly kind: 'fail'; readonly event: EventText & { readonly reason: 'ErrImageNeverPull' } };

/**
 * Whether the container is made from a program of the host, which its command names, and not from an image. The
 * runtime is then asked for no image; its name must be well-formed nevertheless.
 */
export function isHostProgram({ command = [] }: Container, { runsHostPrograms }: RuntimeTraits): boolean {
	return runsHostPrograms && command.length > 0;
}

/** The next step by the container's pull policy. `isPresent`: the container needs no image that is missing. */
export function imageStepOf(
	{ image = '', imagePullPolicy }: Pick<Container, 'image' | 'imagePullPolicy'>,
	isPresent: boolean,
): ImageStep {
	if (isPresent && imagePullPolicy !== 'Always') {
		const message = `Container image "${image}" already present on machine and can be accessed by the pod`;
		return { kind: 'use', event: { type: 'Normal', reason: 'Pulled', message } };
	}
	if (imagePullPolicy === 'Never') {
		const message = `Container image "${image}" is not present with pull policy of Never`;
		return { kind: 'fail', event: { type: 'Warning', reason: 'ErrImageNeverPull', message } };
	}
	return {
		kind: 'pull',
		event: { type: 'Normal', reason: 'Pulling', message: `Pulling image "${image}"` },
	};
}

/** The event of a pull. `took` is its duration in Go's format, `sizeBytes` the image's size on disk. */
export function pulledEvent(
	image: string,
	{ took, sizeBytes }: { readonly took: string; readonly sizeBytes: number },
): EventText {
	// Upstream's second duration includes the time in its pull queue. There is no queue here: both are equal.
	const message = `Successfully pulled image "${image}" in ${took} (${took} including waiting). Image size: ${sizeBytes} bytes.`;
	return { type: 'Normal', reason: 'Pulled', message };
}
