import type { ScalarTag } from 'yaml';

/**
 * What Kubernetes' YAML library (go-yaml 2) reads differently from YAML 1.2: `yes`, `no`, `on`, `off`, `y`
 * and `n` are truth values, a leading 0 makes a number octal (`defaultMode: 0644`), and underscores may
 * part its digits.
 */
export const KUBERNETES_TAGS: readonly ScalarTag[] = [
	{
		tag: 'tag:yaml.org,2002:bool',
		default: true,
		test: /^(?:[yYnN]|yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF)$/,
		resolve: (text) => /^(y|on)/i.test(text),
	},
	{
		tag: 'tag:yaml.org,2002:int',
		default: true,
		test: /^[-+]?(?:0[0-7_]+|0b[01_]+|0o[0-7_]+|0x[\da-fA-F_]+|[1-9]\d*_[\d_]*)$/,
		resolve: wholeNumber,
	},
];

function wholeNumber(text: string): number {
	const digits = text
		.replace(/^[-+]/, '')
		.replaceAll('_', '')
		.replace(/^0(?=[0-7])/, '0o');
	return text.startsWith('-') ? -Number(digits) : Number(digits);
}
