import type { VolumeHost } from '../volume-host.ts';

/** A host of volumes that notes what it is asked for. */
export function hostOf(steps: string[]): VolumeHost {
	return {
		usageOf: async () => new Map(),
		setUp: async (_, { name }) => {
			steps.push(`set up ${name}`);
			return { hostPath: `/volumes/${name}`, readOnly: false };
		},
		remove: async (uid) => void steps.push(`remove ${uid}`),
		sweep: async () => {},
		writeHosts: async (uid, text) => {
			steps.push(`hosts ${text.split('\n')[0]}`);
			return `/${uid}/etc-hosts`;
		},
		makeMessageFile: async (uid, container, attempt) => `/${uid}/${container}.${attempt}`,
		messageFile: (uid, container, attempt) => `/${uid}/${container}.${attempt}`,
		removeMessageFile: async () => {},
		nodeHosts: async () => '',
		makeResolvConf: async (uid, text) => {
			steps.push(`resolv.conf ${text.trim()}`);
			return `/${uid}/etc-resolv-conf`;
		},
		nodeResolvConf: async () => 'nameserver 192.0.2.1',
		textInVolume: async (volume, path) => `A='${volume} ${path}'`,
		makeSubPath: async (volume, subPath) => {
			steps.push(`make ${volume}/${subPath}`);
			if (subPath === 'full') throw new Error('no space left on device');
			return subPath !== 'out';
		},
	};
}
