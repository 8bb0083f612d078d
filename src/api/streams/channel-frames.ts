import type { DuplexMessage } from '../contract/duplex.ts';

/**
 * The frames of Kubernetes' WebSocket sub-protocols for two-way streams: the first byte of each WebSocket
 * message is the channel, the rest are its bytes. In version 5, channel 255 says that the sender has ended the channel
 * in the second byte; version 4 cannot say that (upstream: k8s.io/apimachinery/pkg/util/remotecommand).
 */

/** The sub-protocols, in order of preference. */
export const CHANNEL_PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io'] as const;

/** A sub-protocol for two-way streams. */
export type ChannelProtocol = (typeof CHANNEL_PROTOCOLS)[number];

/** The channel that ends another one, in version 5. */
const CLOSE_CHANNEL = 255;

/** Whether `name` is a sub-protocol for two-way streams. */
export function isChannelProtocol(name: string): name is ChannelProtocol {
	return CHANNEL_PROTOCOLS.some((each) => each === name);
}

/** The frame for a message; undefined if the sub-protocol has none. */
export function frameOf(message: DuplexMessage, protocol: ChannelProtocol): Uint8Array | undefined {
	if (message.type === 'end') {
		return protocol === 'v5.channel.k8s.io' ? Uint8Array.of(CLOSE_CHANNEL, message.channel) : undefined;
	}
	const frame = new Uint8Array(1 + message.bytes.length);
	frame[0] = message.channel;
	frame.set(message.bytes, 1);
	return frame;
}

/** The message in a frame; undefined if the frame is empty or ends no channel: receivers ignore those. */
export function messageOfFrame(frame: Uint8Array, protocol: ChannelProtocol): DuplexMessage | undefined {
	const [channel, ended] = frame;
	if (channel === undefined) return undefined;
	if (channel !== CLOSE_CHANNEL) return { type: 'data', channel, bytes: frame.subarray(1) };
	if (ended === undefined || protocol !== 'v5.channel.k8s.io') return undefined;
	return { type: 'end', channel: ended };
}
