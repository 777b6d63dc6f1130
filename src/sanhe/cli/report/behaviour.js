(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const wanted = new URLSearchParams(location.search);
  root.dataset.theme = wanted.get("theme") || (dark.matches ? "dark" : "light");
  root.lang = wanted.get("lang") || (navigator.language.startsWith("zh") ? "zh" : "en");
  document.getElementById("theme").onclick = () => {
    root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
  };
  document.getElementById("language").onclick = () => { root.lang = root.lang === "zh" ? "en" : "zh"; };
  const choice = document.getElementById("series");
  if (choice) choice.onchange = () => document.querySelectorAll(".chart").forEach((chart, index) => {
    chart.hidden = String(index) !== choice.value;
  });
})();
