/**
 * Platforms, by which an index offers one image for several machines (upstream: containerd's package platforms).
 * A machine runs what was built for it, and for older variants of its processor: arm64 also runs arm v7.
 */

/** A platform. `variant` is the version of the processor's architecture, such as `v7` of arm. */
export interface Platform {
	/** As Go names it, such as `linux`. */
	readonly os: string;
	/** As Go names it, such as `amd64`. */
	readonly architecture: string;
	readonly variant?: string;
	readonly osVersion?: string;
	readonly osFeatures?: readonly string[];
}

/** What {@link readPlatform} asks of a reader of fields. */
interface PlatformFields {
	text(key: string): string;
	texts(key: string): readonly string[] | undefined;
}

/** Reads a platform from the fields of a descriptor or of an image configuration. */
export function readPlatform(fields: PlatformFields): Platform {
	const variant = fields.text('variant');
	const osVersion = fields.text('os.version');
	const osFeatures = fields.texts('os.features');
	return {
		os: fields.text('os'),
		architecture: fields.text('architecture'),
		...(variant && { variant }),
		...(osVersion && { osVersion }),
		...(osFeatures && { osFeatures }),
	};
}

/** Go's names of architectures that Node names differently. */
const GO_NAMES: Readonly<Record<string, string>> = {
	x64: 'amd64',
	ia32: '386',
	ppc64: 'ppc64le',
	mipsel: 'mipsle',
};

/** The platform of the containers of this machine: always Linux, also if the engine runs in a virtual machine. */
export function machinePlatform(arch: string = process.arch): Platform {
	const architecture = Object.hasOwn(GO_NAMES, arch) ? GO_NAMES[arch] : arch;
	return normalizePlatform({ os: 'linux', architecture: architecture ?? arch });
}

/** Reads `os/architecture[/variant]`, as users write it; undefined if it is malformed. */
export function parsePlatform(text: string): Platform | undefined {
	const [os = '', architecture = '', variant, ...rest] = text.split('/');
	const isForm = [os, architecture, variant ?? 'v1'].every((part) => /^[A-Za-z0-9_.-]+$/.test(part));
	if (!isForm || rest.length > 0) return undefined;
	return normalizePlatform({ os, architecture, ...(variant && { variant }) });
}

/** The platform as `linux/arm/v7`. */
export function platformText({ os, architecture, variant }: Platform): string {
	return [os || 'unknown', architecture, variant].filter((part) => part).join('/');
}

/** The platform in its one form: the names of Go, and no variant where it is the usual one. */
export function normalizePlatform(platform: Platform): Platform {
	const os = platform.os.toLowerCase();
	const [architecture, variant] = normalizeArchitecture(
		platform.architecture.toLowerCase(),
		(platform.variant ?? '').toLowerCase(),
	);
	const { variant: _, ...others } = platform;
	return { ...others, os: os === 'macos' ? 'darwin' : os, architecture, ...(variant && { variant }) };
}

/** Other names of architectures, and the variant that each implies. */
const ALIASES: Readonly<Record<string, readonly [string, string?]>> = {
	i386: ['386', ''],
	x86_64: ['amd64'],
	'x86-64': ['amd64'],
	aarch64: ['arm64'],
	armhf: ['arm', 'v7'],
	armel: ['arm', 'v6'],
};

function normalizeArchitecture(name: string, given: string): readonly [string, string] {
	const [architecture, implied] = (Object.hasOwn(ALIASES, name) ? ALIASES[name] : undefined) ?? [name];
	const variant = implied ?? given;
	if (architecture === 'amd64') return [architecture, variant === 'v1' ? '' : variant];
	if (architecture === 'arm64') {
		if (['8', 'v8', 'v8.0'].includes(variant)) return [architecture, ''];
		return [architecture, ['9', '9.0', 'v9.0'].includes(variant) ? 'v9' : variant];
	}
	if (architecture === 'arm') {
		if (variant === '' || variant === '7') return [architecture, 'v7'];
		return [architecture, /^[568]$/.test(variant) ? `v${variant}` : variant];
	}
	return [architecture, variant];
}

/** The platforms whose programs a machine of `machine` runs, best first (upstream: `platforms.Only`). */
export function runnablePlatforms(machine: Platform): readonly Platform[] {
	const first = normalizePlatform(machine);
	const others = olderVariants(first.architecture, first.variant ?? '');
	return [
		first,
		...others.map(([architecture, variant]) => normalizePlatform({ os: first.os, architecture, variant })),
	];
}

function olderVariants(architecture: string, variant: string): readonly (readonly [string, string])[] {
	if (architecture === 'amd64')
		return [
			...versionsBelow(version(variant) ?? 1, 1).map((each) => ['amd64', `v${each}`] as const),
			['386', ''],
		];
	if (architecture === 'arm')
		return versionsBelow(version(variant) ?? 0, 5).map((each) => ['arm', `v${each}`] as const);
	if (architecture !== 'arm64') return [];
	const known = variant === '' || /^v[89]/.test(variant);
	const arm = known ? 'v8' : variant;
	return [
		...olderArm64(variant || 'v8').map((each) => ['arm64', each] as const),
		['arm', arm],
		...olderVariants('arm', arm),
	];
}

/** Version 9.x of the architecture includes 8.(x+5). */
function olderArm64(variant: string): readonly string[] {
	const parts = /^v([89])(?:\.(\d))?$/.exec(variant);
	if (!parts) return [];
	const [, major, text = '0'] = parts;
	const minor = Number(text);
	const below = (name: string, from: number): readonly string[] =>
		versionsBelow(from, 0).map((each) => (each === 0 ? name : `${name}.${each}`));
	return major === '9' ? [...below('v9', minor), ...below('v8', minor + 6)] : below('v8', minor);
}

function version(variant: string): number | undefined {
	const digits = /^v?(\d{1,2})$/.exec(variant)?.[1];
	return digits === undefined ? undefined : Number(digits);
}

/** The whole numbers from `from - 1` down to `lowest`. */
function versionsBelow(from: number, lowest: number): readonly number[] {
	return Array.from({ length: Math.max(from - lowest, 0) }, (_, index) => from - 1 - index);
}

/**
 * Position of `platform` in the order of preference of a machine, 0 being the best; undefined if the machine cannot
 * run it.
 */
export function platformRank(machine: Platform, platform: Platform): number | undefined {
	const offered = normalizePlatform(platform);
	// No feature of an operating system is known to be present: an image that requires one cannot be chosen.
	if ((offered.osFeatures ?? []).length > 0) return undefined;
	const rank = runnablePlatforms(machine).findIndex(
		({ os, architecture, variant }) =>
			os === offered.os && architecture === offered.architecture && variant === offered.variant,
	);
	return rank < 0 ? undefined : rank;
}
