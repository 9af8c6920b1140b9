// Light, dark, or as the system has it. The choice stays in this browser.
import { useEffect, useState } from 'preact/hooks';

export const themes = ['system', 'light', 'dark'] as const;
export type Theme = (typeof themes)[number];

const kept = 'switchyard-theme';

export function applyTheme(): Theme {
  const theme = themes.find((one) => one === localStorage.getItem(kept)) ?? 'system';
  document.documentElement.dataset['theme'] = theme;
  return theme;
}

/** The choice, what it comes to now, and how to make another. */
export function useTheme(): { readonly theme: Theme; readonly shown: string; readonly next: () => void } {
  const [theme, setTheme] = useState(applyTheme);
  const [systemIsDark, setSystem] = useState(() => darkSystem().matches);
  useEffect(() => {
    const query = darkSystem();
    const look = () => setSystem(query.matches);
    query.addEventListener('change', look);
    return () => query.removeEventListener('change', look);
  }, []);
  return {
    theme,
    shown: theme === 'system' ? (systemIsDark ? 'dark' : 'light') : theme,
    next() {
      localStorage.setItem(kept, themes[(themes.indexOf(theme) + 1) % themes.length] ?? 'system');
      setTheme(applyTheme());
    },
  };
}

function darkSystem(): MediaQueryList {
  return window.matchMedia('(prefers-color-scheme: dark)');
}
