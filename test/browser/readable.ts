// Checks that run inside of the page: contrast of every text against what is behind it, and names of controls. Each
// function stands alone, because only its own text gets there.

/** Texts below the contrast of WCAG AA (4.5, large text 3), as `word (ratio)`. */
export function lowContrast(): readonly string[] {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  if (canvas === null) throw new Error('no canvas');
  const paint = (colours: readonly string[]): readonly number[] => {
    canvas.clearRect(0, 0, 1, 1);
    for (const colour of colours) {
      canvas.fillStyle = colour;
      canvas.fillRect(0, 0, 1, 1);
    }
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const groundsOf = (element: Element): readonly string[] => {
    const grounds: string[] = [];
    for (let at: Element | null = element; at !== null; at = at.parentElement) {
      grounds.unshift(getComputedStyle(at).backgroundColor);
    }
    return ['white', ...grounds];
  };
  const luminance = ([red = 0, green = 0, blue = 0]: readonly number[]): number => {
    const [r = 0, g = 0, b = 0] = [red, green, blue]
      .map((part) => part / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = new Set<string>();
  for (const element of document.querySelectorAll('body *')) {
    const text = [...element.childNodes].find(({ nodeType, nodeValue }) => nodeType === 3 && nodeValue?.trim() !== '');
    const style = getComputedStyle(element);
    if (text === undefined || !element.checkVisibility() || style.clipPath !== 'none') continue;
    const grounds = groundsOf(element);
    const [one, other] = [luminance(paint([...grounds, style.color])), luminance(paint(grounds))];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    const size = Number.parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (isLarge ? 3 : 4.5)) found.add(`${text.nodeValue?.trim()} (${ratio.toFixed(2)})`);
  }
  return [...found];
}

/** Controls that a screen reader could only call `button`, tables without heads, twice given ids. */
export function unnamedControls(): readonly string[] {
  const nameOf = (element: Element): string =>
    element.getAttribute('aria-label') ??
    (element instanceof HTMLInputElement || element instanceof HTMLSelectElement
      ? (element.labels?.[0]?.textContent ?? '')
      : (element.textContent ?? ''));
  const controls = [...document.querySelectorAll('button, a, input, select, summary, [tabindex], [role="img"]')];
  const heads = [...document.querySelectorAll('th')];
  const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id);
  return [
    ...controls.filter((element) => nameOf(element).trim() === '').map(({ outerHTML }) => outerHTML.slice(0, 120)),
    ...heads.filter((head) => !head.hasAttribute('scope')).map((head) => `no scope: ${head.textContent}`),
    ...heads.filter((head) => head.textContent?.trim() === '').map(() => 'an empty head'),
    ...ids.filter((id, at) => ids.indexOf(id) !== at).map((id) => `twice: #${id}`),
    ...(document.documentElement.lang === '' ? ['no language'] : []),
  ];
}
