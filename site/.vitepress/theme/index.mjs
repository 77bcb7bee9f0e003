// Without fonts of its own: those of the system are there at once.
import theme from 'vitepress/theme-without-fonts';
import './style.css';

export default theme;
